/* Asks the daemon how it is, once a second, and shows it. A daemon with much to count is asked less often: what an
 * answer takes, it has three times to rest. Nobody is asked while the page is hidden or stands still. */
import * as connections from './connections.js';
import {makeCharts} from './charts.js';
import {bitRate, clock, count, duration, milliseconds, percent, roundTrip, volume} from './format.js';
import {element, fill, make} from './tables.js';

const PERIOD = 1000, REST = 3, PATIENCE = 10000; /* milliseconds */
const KEPT = 300;      /* seconds that the daemon knows */
const MARKS = 100;
const marks = [];      /* {time, letter}, the oldest first */
const charts = makeCharts(marks);
let history = null;    /* as /api/v1/rates, with times, which are the daemon's */
let remembered = 0;    /* when that was brought up to date, by our clock */
let before = null;     /* the counters of the last answer */
let ways = null;       /* what the uplinks' ways were */
let paused = false, asking = false, timer = null;

/* ---- asking ---------------------------------------------------------------------------------------------- */

async function ask(path, missing) {
    const token = sessionStorage.getItem('token');
    const answer = await fetch(path, {signal: AbortSignal.timeout(PATIENCE), cache: 'no-store',
        headers: token ? {Authorization: `Bearer ${token}`} : {}});
    element('token-form').hidden = answer.status !== 401;
    if (answer.status === 404 && missing !== undefined)
        return missing;
    const document = await answer.json();
    if (!answer.ok)
        throw new Error(document.error);
    return document;
}

/* Seconds of rates that are not known yet, and a few more. */
function secondsWanted() {
    if (!history || history.times.length === 0)
        return KEPT;
    return Math.min(KEPT, Math.ceil((performance.now() - remembered) / 1000) + 3);
}

async function askAll() {
    const open = connections.openQuestion();
    const seconds = secondsWanted();
    const [status, rates, paths, uplinks, counters, top, one] = await Promise.all([
        ask('/api/v1/status'), ask(`/api/v1/rates?seconds=${seconds}`), ask('/api/v1/paths'),
        ask('/api/v1/uplinks'), ask('/api/v1/counters'), ask(connections.question()),
        open && ask(open, null)]);
    remember(rates, seconds === KEPT);
    notice(counters, uplinks);
    showHead(status);
    showEdges(status);
    showPaths(paths);
    showUplinks(uplinks);
    showTrouble(status, counters);
    connections.showList(top);
    if (open && open === connections.openQuestion())
        connections.showOpen(one);
    charts.show(history);
}

async function turn() {
    clearTimeout(timer);
    if (asking || paused || document.hidden)
        return;
    asking = true;
    const begun = performance.now();
    try {
        await askAll();
        say('live', 'live');
    } catch (error) {
        say('lost', `no answer: ${error.message}`);
    }
    const took = performance.now() - begun;
    asking = false;
    timer = setTimeout(turn, Math.max(PERIOD - took, REST * took));
}

/* Something else is wanted: not to wait for the next turn. */
function askNow() {
    if (!asking)
        turn();
}

function say(kind, text) {
    const live = element('live');
    if (live.textContent !== text)
        live.textContent = text;
    live.className = kind;
}

/* ---- what was before ------------------------------------------------------------------------------------- */

const lists = ['edges', 'cpes', 'paths'];
const namesOf = rates => JSON.stringify(lists.map(list => rates[list].map(one => one.name)));

/* Adds the seconds that are new. Another configuration begins anew. */
function remember(rates, whole) {
    const times = Array.from({length: rates.seconds}, (_, i) => rates.at_ms - 1000 * (rates.seconds - 1 - i));
    remembered = performance.now();
    if (whole || !history || namesOf(rates) !== namesOf(history)) {
        history = {...rates, times};
        return;
    }
    const last = history.times.at(-1);
    const fresh = times.filter(time => time > last + PERIOD / 2).length;
    if (fresh === 0)
        return;
    const extend = (to, more) => to.push(...more.slice(-fresh)) > KEPT && to.splice(0, to.length - KEPT);
    extend(history.times, times);
    for (const list of lists)
        rates[list].forEach((one, i) => Object.keys(one).filter(key => key !== 'name').forEach(
            key => extend(history[list][i][key], one[key])));
}

function mark(letter, text) {
    const time = history.times.at(-1);
    marks.push({time, letter});
    if (marks.length > MARKS)
        marks.shift();
    const list = element('events');
    list.prepend(make('li', `${letter}  ${clock(new Date(time))}  ${text}`));
    while (list.childElementCount > MARKS)
        list.lastElementChild.remove();
}

/* Counters whose growth is a mark. */
const MARKED = [
    ['S', 'BraidSuspected', n => `${count(n)} subflow${n === 1 ? '' : 's'} suspected: the path is silent`],
    ['F', 'BraidReinjectSilent', n => `failover: ${count(n)} mapping${n === 1 ? '' : 's'} sent again on another path`],
    ['T', 'MPTcpExtSubflowStale', n => `${count(n)} subflow${n === 1 ? '' : 's'} out of use after a timeout`],
    ['B', 'MPTcpExtSubflowRecover', n => `${count(n)} subflow${n === 1 ? '' : 's'} back in use`]
];

const stateOfWays = uplinks => new Map(uplinks.uplinks.flatMap(
    u => ['ipv4', 'ipv6'].map(family => [`${u.name} ${family}`, u[family].state])));

function notice(counters, uplinks) {
    const now = stateOfWays(uplinks);
    for (const [letter, name, text] of MARKED)
        if (before && counters[name] > before[name])
            mark(letter, text(counters[name] - before[name]));
    for (const [way, state] of now)
        if (ways && ways.has(way) && ways.get(way) !== state)
            mark('U', `uplink ${way} is ${state}, was ${ways.get(way)}`);
    before = counters;
    ways = now;
}

/* ---- what is now ----------------------------------------------------------------------------------------- */

function put(id, text, exact) {
    element(id).textContent = text;
    element(id).title = exact === undefined ? '' : exact;
}

const added = (list, key) => list.reduce((sum, one) => sum + one[key], 0);

function showHead(status) {
    const t = status.total;
    const up = added(status.edges, 'bytes_to_server_per_s') + added(status.cpes, 'bytes_up_per_s');
    const down = added(status.edges, 'bytes_from_server_per_s') + added(status.cpes, 'bytes_down_per_s');
    put('version', status.version);
    put('uptime', duration(status.uptime_s), status.uptime_s);
    put('total-connections', count(t.connections), t.connections);
    put('total-mptcp', count(t.mptcp_connections), t.mptcp_connections);
    put('total-subflows', count(t.subflows), t.subflows);
    put('total-up', bitRate(up), up);
    put('total-down', bitRate(down), down);
    put('total-memory', `${volume(t.memory)} of ${volume(t.memory_limit)}`, t.memory);
}

function showEdges(status) {
    const all = [...status.edges.map(e => ({...e, up: e.bytes_to_server_per_s, down: e.bytes_from_server_per_s,
        from: e.listen, to: e.target})),
    ...status.cpes.map(c => ({...c, up: c.bytes_up_per_s, down: c.bytes_down_per_s, from: 'the LAN',
        to: c.peers.join(', ') || 'any', mode: `CPE, ${c.mode}`}))];
    fill(element('edges').tBodies[0], all, e => `${e.mode} ${e.name}`, e => [
        e.name, {text: e.drained ? `${e.mode}, drained` : e.mode, kind: e.drained ? 'trouble' : '', name: 'mode'},
        e.from, e.to,
        {text: count(e.connections), exact: e.connections, name: 'connections'},
        {text: count(e.subflows), exact: e.subflows, name: 'subflows'},
        {text: bitRate(e.up), exact: e.up}, {text: bitRate(e.down), exact: e.down},
        {text: count(e.accepted), exact: e.accepted, name: 'accepted'},
        {text: count(e.refused + e.unreachable + e.failed), exact: e.refused + e.unreachable + e.failed,
            kind: e.refused + e.unreachable + e.failed ? 'trouble' : '', name: 'refused'}]);
}

/* The last second of a path's series, as rates have it. */
function lastOf(name) {
    const one = history.paths.find(path => path.name === name);
    const last = key => one ? one[key].at(-1) || 0 : 0;
    return {rtt: last('rtt_us'), sent: last('segments_sent'), again: last('segments_again')};
}

function showPaths(paths) {
    const all = [...paths.paths, {...paths.other, name: '-', remote: 'any other', quota: null, cost: 0,
        bytes: paths.other.bytes_in + paths.other.bytes_out}];
    fill(element('paths').tBodies[0], all, p => p.name, p => {
        const {rtt, sent, again} = lastOf(p.name);
        return [
            p.name === '-' ? 'other paths' : p.name,
            p.remote === 'any' && p.local !== 'any' ? p.local : p.remote,
            {text: count(p.subflows), exact: p.subflows, name: 'subflows'},
            {text: bitRate(p.bytes_in_per_s), exact: p.bytes_in_per_s},
            {text: bitRate(p.bytes_out_per_s), exact: p.bytes_out_per_s},
            {text: roundTrip(rtt), exact: rtt},
            {text: sent + again ? percent(100 * again / (sent + again)) : '–', exact: again},
            {text: volume(p.bytes_in), exact: p.bytes_in, name: 'in'},
            {text: volume(p.bytes_out), exact: p.bytes_out, name: 'out'},
            {text: p.quota ? volume(p.quota) + (p.over_quota ? ', used up' : '') : 'none', number: true,
                kind: p.over_quota ? 'trouble' : ''}];
    });
}

const SIGNS = {up: '● up', down: '✕ down', silent: '◌ silent'};

function way(w) {
    const words = [SIGNS[w.state] || w.state, w.lacks || w.address || ''];
    if (w.srtt_us)
        words.push(milliseconds(w.srtt_us));
    if (w.loss_percent)
        words.push(`${w.loss_percent} % of probes lost`);
    return {text: words.filter(word => word).join(', '), kind: w.state === 'up' ? '' : 'trouble'};
}

function showUplinks(uplinks) {
    element('uplinks-section').hidden = uplinks.uplinks.length === 0;
    fill(element('uplinks').tBodies[0], uplinks.uplinks, u => u.name, u => [
        u.name + (u.backup ? ' (backup)' : ''), u.interface, way(u.ipv4), way(u.ipv6),
        {text: count(u.subflows), exact: u.subflows, name: 'subflows'},
        {text: bitRate(u.bytes_in_per_s), exact: u.bytes_in_per_s},
        {text: bitRate(u.bytes_out_per_s), exact: u.bytes_out_per_s},
        {text: volume(u.bytes), exact: u.bytes, name: 'bytes'}]);
}

/* Counters that stand still where all is well. */
const TROUBLE = {
    BraidSuspected: 'subflows whose path fell silent',
    BraidReinjectSilent: 'mappings sent again elsewhere, since their path was silent',
    MPTcpExtSubflowStale: 'subflows out of use after a timeout',
    TcpExtTCPTimeouts: 'retransmission timeouts',
    TcpExtTCPAbortOnTimeout: 'subflows given up',
    TcpEstabResets: 'subflows reset',
    TcpAttemptFails: 'subflows that were never established',
    BraidBreakBeforeMakeTimeout: 'connections ended without any subflow',
    BraidStalled: 'connections ended: the client took nothing',
    BraidUnread: 'connections ended: the server took nothing',
    BraidMemoryReclaimed: 'connections ended for their memory',
    BraidMemoryDropped: 'segments dropped for lack of memory',
    BraidMemoryRefused: 'connections or data refused for lack of memory',
    MPTcpExtMPCapableFallbackACK: 'fallbacks: options lost in the handshake',
    MPTcpExtDssFallback: 'fallbacks: options lost on the way',
    MPTcpExtDataCsumErr: 'data changed on the way',
    MPTcpExtMPJoinNoTokenFound: 'joins of unknown connections',
    MPTcpExtMPJoinRejected: 'joins refused',
    MPTcpExtMPJoinAckHMacFailure: 'joins with a wrong key',
    TcpExtSyncookiesSent: 'SYNs answered by cookie: many are half open',
    TcpInErrs: 'malformed packets',
    TcpInCsumErrors: 'packets with a wrong checksum',
    BraidMPTCPMalformed: 'malformed MPTCP options',
    log_lines_lost: 'log lines lost'
};

const grown = new Map(); /* counter -> when it last grew */
let seen = null;

function showTrouble(status, counters) {
    const values = {...counters, log_lines_lost: status.log_lines_lost};
    const items = Object.keys(TROUBLE).filter(name => values[name] > 0);
    for (const name of items)
        if (seen && values[name] > (seen[name] || 0))
            grown.set(name, new Date());
    seen = values;
    element('no-trouble').hidden = items.length > 0;
    element('trouble').hidden = items.length === 0;
    fill(element('trouble').tBodies[0], items, name => name, name => [
        TROUBLE[name], {text: name, kind: 'code'}, {text: count(values[name]), exact: values[name], name},
        grown.has(name) ? clock(grown.get(name)) : 'before']);
}

/* ---- the beginning --------------------------------------------------------------------------------------- */

function pause() {
    paused = !paused;
    element('pause').setAttribute('aria-pressed', paused);
    if (paused)
        say('paused', 'paused');
    askNow();
}

/* Kept until the browser forgets this tab. */
function takeToken(event) {
    event.preventDefault();
    sessionStorage.setItem('token', element('token').value.trim());
    element('token').value = '';
    askNow();
}

connections.begin(askNow);
element('token-form').addEventListener('submit', takeToken);
element('search').addEventListener('submit', event => event.preventDefault());
element('pause').addEventListener('click', pause);
document.querySelectorAll('figure select').forEach(
    select => select.addEventListener('change', () => history && charts.show(history)));
document.addEventListener('keydown', event => {
    if (event.key === 'p' && !['INPUT', 'SELECT'].includes(event.target.tagName))
        pause();
});
document.addEventListener('visibilitychange', askNow);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', charts.recolour);
turn();
