/* The charts, drawn by dygraphs: what edges and paths carry, stacked; round trip and loss of paths; marks on the time
 * line. Series differ in colour and in how their line is dashed, and the legend is a list with numbers. */
import {bitRate, clock, milliseconds, percent} from './format.js';
import {make} from './tables.js';

const SERIES = 7; /* drawn by themselves; the rest are added up */
const PATTERNS = [[], [8, 3], [2, 3], [8, 3, 2, 3], [14, 4], [4, 4], [2, 6], [14, 3, 2, 3]];
const BORDERS = ['solid', 'dashed', 'dotted'];

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const sum = values => values.reduce((a, b) => a + b, 0);

/* The largest first; from the eighth on they are one. */
function fewer(series) {
    if (series.length <= SERIES + 1)
        return series;
    const sorted = [...series].sort((a, b) => sum(b.values) - sum(a.values));
    const rest = sorted.slice(SERIES);
    const others = rest[0].values.map((_, i) => sum(rest.map(one => one.values[i])));
    return [...sorted.slice(0, SERIES), {name: `${rest.length} others`, values: others}];
}

class Chart {
    /* figure has a .plot and a .legend; format makes a text of a value. */
    constructor(figure, stacked, format, marks) {
        this.plot = figure.querySelector('.plot');
        this.legend = figure.querySelector('.legend');
        this.stacked = stacked;
        this.format = format;
        this.marks = marks;
        this.names = null;
        this.chosen = null; /* the row that the pointer is at */
    }

    /* times: Dates; series: [{name, values}], null: not known. */
    show(times, series) {
        this.series = this.stacked ? fewer(series) : series.slice(0, SERIES + 1);
        const rows = times.map((time, i) => [time, ...this.series.map(one => one.values[i])]);
        const names = JSON.stringify(this.series.map(one => one.name));
        if (rows.length === 0 || this.series.length === 0)
            return;
        this.times = times;
        if (names === this.names)
            this.graph.updateOptions({file: rows});
        else
            this.begin(rows);
        this.names = names;
        this.list();
    }

    begin(rows) {
        if (this.graph)
            this.graph.destroy();
        const patterns = Object.fromEntries(
            this.series.map((one, i) => [one.name, {strokePattern: PATTERNS[i]}]));
        this.graph = new Dygraph(this.plot, rows, {
            labels: ['time', ...this.series.map(one => one.name)],
            series: patterns,
            stackedGraph: this.stacked,
            connectSeparatedPoints: !this.stacked,
            includeZero: true,
            legend: 'never',
            interactionModel: {},
            strokeWidth: 1.5,
            fillAlpha: 0.35,
            axes: {
                x: {axisLabelFormatter: clock, pixelsPerLabel: 80},
                y: {axisLabelFormatter: value => this.format(value), axisLabelWidth: 76}
            },
            highlightCallback: (event, x, points, row) => this.choose(row),
            unhighlightCallback: () => this.choose(null),
            underlayCallback: (context, area, graph) => this.draw(context, area, graph),
            ...this.colours()
        });
    }

    colours() {
        return {
            colors: this.series.map((_, i) => style(`--series-${i + 1}`)),
            gridLineColor: style('--line'),
            axisLineColor: style('--line')
        };
    }

    /* Between light and dark. */
    recolour() {
        if (this.graph)
            this.graph.updateOptions(this.colours());
        if (this.graph)
            this.list();
    }

    choose(row) {
        this.chosen = row;
        this.list();
    }

    draw(context, area, graph) {
        context.save();
        context.fillStyle = context.strokeStyle = style('--text');
        context.font = 'bold 12px sans-serif';
        context.setLineDash([3, 3]);
        context.textAlign = 'center';
        for (const [time, letters] of this.marksByTime()) {
            const x = graph.toDomXCoord(time);
            if (x < area.x || x > area.x + area.w)
                continue;
            context.beginPath();
            context.moveTo(x, area.y + 14);
            context.lineTo(x, area.y + area.h);
            context.stroke();
            context.fillText(letters, x, area.y + 11);
        }
        context.restore();
    }

    /* time -> the letters of all marks of that second */
    marksByTime() {
        const letters = new Map();
        for (const mark of this.marks)
            letters.set(mark.time, (letters.get(mark.time) || '') + mark.letter);
        return letters;
    }

    list() {
        const row = this.chosen !== null && this.chosen < this.times.length ? this.chosen : this.times.length - 1;
        const items = this.series.map((one, i) => {
            const item = make('li'), swatch = make('span', undefined, {class: 'swatch'});
            swatch.style.borderTop = `4px ${BORDERS[i % 3]} ${style(`--series-${i + 1}`)}`;
            const value = one.values[row];
            item.append(swatch, make('span', one.name), ' ',
                make('b', value === null || value === undefined ? '–' : this.format(value)));
            return item;
        });
        this.legend.replaceChildren(make('li', clock(this.times[row]), {class: 'when'}), ...items);
    }
}

const FLOW = {
    edges: {up: 'bytes_to_server', down: 'bytes_from_server'},
    cpes: {up: 'bytes_up', down: 'bytes_down'},
    paths: {up: 'bytes_in', down: 'bytes_out'}
};

function carried(list, keys, direction, label) {
    return list.map(one => ({
        name: label(one.name),
        values: one[keys.up].map((up, i) => (direction === 'down' ? 0 : up) +
            (direction === 'up' ? 0 : one[keys.down][i]))
    }));
}

const pathLabel = name => name === '-' ? 'other paths' : name;

/* marks: [{time, letter}], which others add to. Returns show(history) and recolour(). */
export function makeCharts(marks) {
    const figure = id => document.getElementById(id);
    const edges = new Chart(figure('by-edge'), true, bitRate, marks);
    const paths = new Chart(figure('by-path'), true, bitRate, marks);
    const rtt = new Chart(figure('rtt'), false, milliseconds, marks);
    const loss = new Chart(figure('loss'), false, percent, marks);
    const direction = id => figure(id).querySelector('select').value;
    const show = history => {
        const times = history.times.map(ms => new Date(ms));
        edges.show(times, [
            ...carried(history.edges, FLOW.edges, direction('by-edge'), name => name),
            ...carried(history.cpes, FLOW.cpes, direction('by-edge'), name => `${name} (CPE)`)]);
        paths.show(times, carried(history.paths, FLOW.paths, direction('by-path'), pathLabel));
        rtt.show(times, history.paths.map(one => ({
            name: pathLabel(one.name), values: one.rtt_us.map(us => us || null)})));
        loss.show(times, history.paths.map(one => ({
            name: pathLabel(one.name),
            values: one.segments_sent.map((sent, i) => sent + one.segments_again[i] > 0
                ? 100 * one.segments_again[i] / (sent + one.segments_again[i]) : null)})));
    };
    return {show, recolour: () => [edges, paths, rtt, loss].forEach(chart => chart.recolour())};
}
