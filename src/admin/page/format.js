/* Numbers as people read them. */

/* Decimal units, as rates and quotas have them; of a whole number of the smallest unit no decimals. */
function scaled(value, units) {
    let unit = 0;
    while (value >= 1000 && unit + 1 < units.length) {
        value /= 1000;
        unit++;
    }
    return (unit ? value.toFixed(1) : Math.round(value)) + ' ' + units[unit];
}

export const bitRate = bytes => scaled(bytes * 8, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);
export const volume = bytes => scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
export const count = value => value.toLocaleString('en');
export const percent = value => value.toFixed(value < 10 ? 1 : 0) + ' %';
export const milliseconds = us => (us / 1000).toFixed(us < 100000 ? 1 : 0) + ' ms';
export const roundTrip = us => us ? milliseconds(us) : '–'; /* 0: not known */
export const clock = date => date.toLocaleTimeString('en-GB');

export function duration(seconds) {
    const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    if (days)
        return `${days} d ${hours} h`;
    if (hours)
        return `${hours} h ${minutes} min`;
    return minutes ? `${minutes} min ${Math.floor(seconds) % 60} s` : `${Math.floor(seconds)} s`;
}
