/* The connections: the daemon sorts and searches them, and only those that are shown are asked for; one of them at
 * a time is opened, and shown with its subflows. */
import {bitRate, count, duration, roundTrip, volume} from './format.js';
import {element, fill, make} from './tables.js';

const state = {sort: 'rate', limit: 20, open: null, ended: false};

/* What is to be asked for. */
export const question = () => '/api/v1/top?' + new URLSearchParams(
    {limit: state.limit, sort: state.sort, find: element('find').value.trim()});
export const openQuestion = () => state.open === null || state.ended ? null : `/api/v1/connections/${state.open}`;

const addresses = new Intl.ListFormat('en', {type: 'unit', style: 'narrow'});
const pathsOf = c => addresses.format([...new Set(c.subflows.map(s => s.path || 'other'))]) || '–';
const most = (c, key) => Math.max(0, ...c.subflows.map(s => s[key]));
const total = (c, key) => c.subflows.reduce((sum, s) => sum + s[key], 0);

function cells(c) {
    const up = c.from_client_per_s, down = c.to_client_per_s;
    return [
        null,
        c.edge || c.cpe || '–',
        c.client,
        c.server || c.service,
        c.mptcp ? pathsOf(c) : `${pathsOf(c)}, plain TCP`,
        {text: bitRate(up), exact: up, name: 'up'},
        {text: bitRate(down), exact: down, name: 'down'},
        {text: volume(c.bytes_from_client + c.bytes_to_client), exact: c.bytes_from_client + c.bytes_to_client,
            name: 'bytes'},
        {text: roundTrip(most(c, 'srtt_us')), exact: most(c, 'srtt_us')},
        {text: count(total(c, 'retransmits')), exact: total(c, 'retransmits')},
        {text: c.subflows.length, exact: c.subflows.length, name: 'subflows'},
        {text: volume(c.memory), exact: c.memory},
        {text: duration(c.age_us / 1e6), exact: c.age_us}
    ];
}

function subflowCells(s) {
    const words = [s.state, s.stale ? 'out of use' : '', s.backup ? 'backup' : '', s.over_quota ? 'over quota' : ''];
    return [
        {text: s.id, exact: s.id}, s.path || 'other', s.local, s.remote,
        words.filter(word => word).join(', '),
        {text: count(s.cwnd), exact: s.cwnd, name: 'cwnd'},
        {text: count(s.in_flight), exact: s.in_flight},
        {text: roundTrip(s.srtt_us), exact: s.srtt_us, name: 'srtt'},
        {text: roundTrip(s.min_rtt_us), exact: s.min_rtt_us},
        {text: count(s.retransmits), exact: s.retransmits, name: 'retransmits'},
        {text: volume(s.bytes_in), exact: s.bytes_in, name: 'in'},
        {text: volume(s.bytes_out), exact: s.bytes_out, name: 'out'},
        s.congestion
    ];
}

/* ---- the list ------------------------------------------------------------------------------------------- */

/* The id is a button, which opens the connection. */
function addButton(tr, id) {
    const button = make('button', id, {type: 'button', class: 'id', 'aria-label': `connection ${id}`});
    button.addEventListener('click', () => open(state.open === id ? null : id));
    tr.cells[0].replaceChildren(button);
}

export function showList(top) {
    const rows = fill(element('connections').tBodies[0], top.connections, c => c.id, cells);
    for (const c of top.connections) {
        const tr = rows.get(String(c.id));
        if (!tr.cells[0].firstElementChild)
            addButton(tr, c.id);
        tr.classList.toggle('open', c.id === state.open);
        tr.cells[0].firstElementChild.setAttribute('aria-expanded', c.id === state.open);
    }
    const shown = element('shown');
    shown.textContent = `${count(top.connections.length)} of ${count(top.matching)}` +
        (top.matching < top.seen ? ` that match, of ${count(top.seen)}` : '');
    shown.title = top.seen;
}

/* ---- the one that is open -------------------------------------------------------------------------------- */

let again = () => {};

function open(id) {
    const before = state.open;
    state.open = id;
    state.ended = false;
    if (id === null) {
        element('detail').hidden = true;
        const row = document.querySelector(`#connections tr[data-key="${before}"] button`);
        if (row)
            row.focus();
    }
    again();
}

/* The answer to openQuestion(); null: it has ended. */
export function showOpen(c) {
    state.ended = !c;
    element('detail').hidden = false;
    element('detail-title').textContent = `Connection ${state.open}` + (c ? '' : ' has ended');
    if (!c)
        return;
    const facts = {
        state: c.state, scheduler: c.scheduler, congestion: c.congestion, 'path manager': c.path_manager || 'none',
        profile: c.profile_now || c.profile || 'none', client: c.client, service: c.service, server: c.server || '–',
        protocol: c.mptcp ? 'MPTCP' : c.fell_back ? 'plain TCP, fallen back' : 'plain TCP', token: c.token || '–',
        'from the client': volume(c.bytes_from_client), 'to the client': volume(c.bytes_to_client),
        'to be read': volume(c.recv_queued), 'to be sent': volume(c.send_queued),
        'out of order': volume(c.out_of_order), memory: volume(c.memory), age: duration(c.age_us / 1e6)
    };
    element('facts').replaceChildren(...Object.entries(facts).map(([name, value]) => {
        const item = make('div');
        item.append(make('dt', name), make('dd', value));
        return item;
    }));
    fill(element('subflows').tBodies[0], c.subflows, s => s.id, subflowCells);
}

/* ---- keys and the pointer --------------------------------------------------------------------------------- */

function sortBy(key) {
    state.sort = key;
    element('sort').value = key;
    for (const th of element('connections').tHead.rows[0].cells)
        if (th.dataset.sort)
            th.setAttribute('aria-sort', th.dataset.sort === key ? 'descending' : 'none');
    again();
}

function step(by) {
    const buttons = [...document.querySelectorAll('#connections button.id')];
    const at = buttons.indexOf(document.activeElement);
    const to = at < 0 ? 0 : Math.min(Math.max(at + by, 0), buttons.length - 1);
    if (buttons[to])
        buttons[to].focus();
}

function onKey(event) {
    const typing = ['INPUT', 'SELECT'].includes(event.target.tagName);
    const keys = {
        '/': () => element('find').focus(), s: () => element('sort').focus(),
        j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1)
    };
    if (event.key === 'Escape' && state.open !== null) {
        open(null);
    } else if (event.key === 'Escape' && typing) {
        event.target.blur();
    } else if (!typing && !event.ctrlKey && !event.altKey && !event.metaKey && keys[event.key]) {
        if (event.key.startsWith('Arrow') && !event.target.closest('#connections'))
            return;
        keys[event.key]();
        event.preventDefault();
    }
}

/* ask: has all be asked for again, at once. */
export function begin(ask) {
    again = ask;
    element('find').addEventListener('input', ask);
    element('sort').addEventListener('change', event => sortBy(event.target.value));
    element('limit').addEventListener('change', event => {
        state.limit = event.target.value;
        ask();
    });
    element('close').addEventListener('click', () => open(null));
    document.querySelectorAll('#connections th button').forEach(button =>
        button.addEventListener('click', () => sortBy(button.parentElement.dataset.sort)));
    document.addEventListener('keydown', onKey);
}
