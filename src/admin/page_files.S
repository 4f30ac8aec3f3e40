/* The files of the page at the admin port's "/", as they are, within the daemon, which therefore needs none beside
 * it (src/admin/assets.c). Who assembles this names their folders: src/admin/page, and that of dygraphs. */

.macro file name, from
        .globl  page_\name
        .type   page_\name, %object
page_\name:
        .incbin "\from"
        .size   page_\name, . - page_\name
        .globl  page_\name\()_end
page_\name\()_end:
.endm

        .section .rodata
        file    index_html, "index.html"
        file    page_css, "page.css"
        file    page_js, "page.js"
        file    tables_js, "tables.js"
        file    connections_js, "connections.js"
        file    charts_js, "charts.js"
        file    format_js, "format.js"
        file    dygraph_js, "dygraph.min.js"
        file    dygraph_css, "dygraph.min.css"

        .section .note.GNU-stack, "", %progbits
