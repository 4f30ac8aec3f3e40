/* Tables that are brought up to date in place, so that a row that somebody reads, or has the focus in, stays. What
 * is shown comes from configurations and from the network: it is set as text, and never as HTML. */

export const element = id => document.getElementById(id);

export function make(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined)
        made.textContent = text;
    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    return made;
}

/* A cell is null: left alone; a text; or {text, exact, number, kind, name}: exact, the number as the daemon gives it, becomes the title
 * (and makes it a number); name is what tests and style sheets find it by. */
function setCell(td, cell) {
    if (cell === null)
        return;
    const {text, exact, kind, name, number = exact !== undefined} =
        typeof cell === 'object' ? cell : {text: cell};
    if (td.textContent !== String(text))
        td.textContent = text;
    if (exact !== undefined)
        td.title = exact;
    td.className = [number ? 'number' : '', kind || ''].join(' ').trim();
    if (name)
        td.dataset.name = name;
}

function setCells(tr, cells) {
    while (tr.cells.length < cells.length)
        tr.insertCell();
    cells.forEach((cell, i) => setCell(tr.cells[i], cell));
}

/* Rows in their order, one for each item; key is its own, cells gives what stands in it. Returns the rows by key. */
export function fill(tbody, items, key, cells) {
    const before = new Map([...tbody.rows].map(tr => [tr.dataset.key, tr]));
    const focus = tbody.contains(document.activeElement) ? document.activeElement : null;
    const rows = new Map();
    items.forEach(item => {
        const name = String(key(item));
        const tr = before.get(name) || make('tr', undefined, {'data-key': name});
        before.delete(name);
        setCells(tr, cells(item));
        rows.set(name, tr);
    });
    before.forEach(tr => tr.remove());
    let at = tbody.firstElementChild;
    rows.forEach(tr => {
        if (tr === at)
            at = at.nextElementSibling;
        else
            tbody.insertBefore(tr, at);
    });
    if (focus && focus !== document.activeElement && tbody.contains(focus))
        focus.focus({preventScroll: true});
    return rows;
}
