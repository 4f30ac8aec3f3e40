/* The ring of the congestion states of established subflows, which coupled congestion controls walk (struct
 * cc: group_next). */
#include "mptcp/siblings.h"

#include "mptcp/conn.h"

/* Puts the congestion state into the ring of its established siblings; once, when it is established itself:
 * the window of a handshake says nothing to coupled algorithms. */
void siblings_insert(struct mp_subflow *s)
{
    each_flow (o, s->conn) {
        if (o != s && !o->closing.dead && subflow_synchronized(&o->tcp)) {
            s->tcp.cc.group_next = o->tcp.cc.group_next;
            o->tcp.cc.group_next = &s->tcp.cc;
            return;
        }
    }
    s->tcp.cc.group_next = &s->tcp.cc;
}

/* A ring of itself is left, since algorithms never see NULL (struct cc). */
void siblings_remove(struct mp_subflow *s)
{
    struct cc *me = &s->tcp.cc;
    if (!me->group_next)
        return;
    struct cc *prev = me;
    while (prev->group_next != me)
        prev = prev->group_next;
    prev->group_next = me->group_next;
    me->group_next = me;
}
