/*
 * A call object that is used again for another call when all its users are done with it. Two threads may still look at
 * it then, since they have found it in a connection's table before: the thread that receives, with a frame for the
 * earlier use, and the heartbeat.
 *
 * Checked: an action that was meant for one use never touches the next; a thread that finds the call on a connection
 * sees all its fields reset, and this connection; in each use the call leaves its connection once, and goes back to the
 * pool once; a message by which the peer ends the call always finds it.
 *
 * Stands for, in src/GrpcShm.Transport/Calls: of Call*.cs Attach, ReceiveCredit, ReceiveReset, EndReceiving, Reset, Look,
 * IsStill, TryLeave, Leave, Reuse; CallTable.cs. On a client (the default), in src/GrpcShm.Client/Direct: ClientCall.cs,
 * with its three users, and a second use that may be on another connection. With -DSERVER, in
 * src/GrpcShm.AspNetCore/Direct: ServerCall.cs, with its handler, and ServerCall.TimeLimits.cs, with the heartbeat.
 *
 * Call._gate and CallTable._gate are locks, and the pool hands over what was stored before.
 */

#define IS_ON 0             /* Call._isOn; here the number of the use, for the verdict */
#define CONNECTION 1        /* Call._connection */
#define ID 2                /* Call.Id: the number of the use */
#define SENT 3              /* Call._hasSentEnd */
#define RECEIVED 4          /* Call._hasReceivedEnd */
#define FIELDS 5            /* all else that Reuse makes as new: the number of the use that it is for */
#define SLOT(connection) (5 + connection)       /* CallTable._calls: whether the call is there */
#define PLACES 8

#define USER 0              /* who begins the call and sends, or the handler */
#define RECEIVER 1          /* of the first connection; with the second, of which it is about the second use only */
#define OTHER 2             /* who reads the response, or the heartbeat */
#define SECOND 3            /* the receiver of the second connection */
#define THREADS 4
#define BUFFER 6

#define USES 2
#ifdef SERVER
#define USERS 2
#else
#define USERS 3
#endif

#include "memory.pml"

bit gate;                   /* Call._gate */
bit isPooled = 1;           /* ClientCallPool, ServerConnection._pool */
byte users = USERS;         /* ClientCall._users, ServerCall._users: by interlocked operations */
bit isReceivingReset;       /* Call._isReceivingReset: under the gate */
bit isDropped;              /* not to be used again: _isReusable */
byte carrier[USES + 1];     /* the connection of each use */
bit hasBegun[USES + 1], hasEnded[USES + 1], hasCredit[USES + 1], hasLeft[USES + 1], isOverdue[USES + 1];
byte use;                   /* the use that the call is in, from Attach on */
bit isOver;                 /* the user begins no more */

#define ENTER(thread) atomic { !gate && DRAINED(thread) -> gate = 1 }
#define LEAVE(thread) atomic { DRAINED(thread) -> gate = 0 }

inline Attach(me, connection) {
    atomic { DRAINED(me) && isPooled -> isPooled = 0; use++ };
    STORE(me, CONNECTION, connection);
    STORE_RELEASE(me, IS_ON, use);
    /* CallTable.TryAdd, TryAddAt: under its lock, by which the stores before it can be seen */
    atomic { DRAINED(me) -> mem[ID] = use; assert(!mem[SLOT(connection)]); mem[SLOT(connection)] = 1 }
}

inline LetGo(me) {
    /* ClientCall.ReleaseUser, ServerCall.LetGo */
    atomic { DRAINED(me) -> assert(users > 0); users--; isLast = (users == 0) };
    if
    :: isLast && !isDropped ->
        /* Reuse */
        STORE(me, CONNECTION, 0);
        STORE(me, SENT, 0);
        STORE(me, RECEIVED, 0);
        STORE(me, FIELDS, use + 1);
        atomic { DRAINED(me) -> assert(!isPooled && !mem[IS_ON]); users = USERS; isPooled = 1 }
    :: else
    fi;
    isLast = 0
}

/* Under the gate */
inline TryLeave(me) {
    LOAD(me, IS_ON, seen);
    leaves = (seen != 0);
    LOAD(me, SENT, seen);
    leaves = leaves && seen;
    LOAD(me, RECEIVED, seen);
#ifdef LEAVE_WHILE_RECEIVING_A_RESET
    leaves = leaves && seen;
#else
    leaves = leaves && seen && !isReceivingReset;
#endif
    if
    :: leaves ->
#ifndef LEAVE_IS_ON
        STORE(me, IS_ON, 0)
#endif
    :: else
    fi;
    seen = 0
}

inline LeaveIf(me) {
    if
    :: leaves ->
        leaves = 0;
        /* CallConnection.Remove, CallTable.Remove; then OnLeft */
        LOAD(me, CONNECTION, seen);
        atomic { DRAINED(me) -> assert(!hasLeft[use]); hasLeft[use] = 1; mem[SLOT(seen)] = 0; seen = 0 };
        LetGo(me)
    :: else
    fi
}

inline SendEnd(me) {
    /* Call.Pump with the end of this side, or Call.Reset: once */
    ENTER(me);
    LOAD(me, IS_ON, seen);
    if
    :: seen ->
        STORE(me, SENT, 1);
        TryLeave(me)
    :: else
    fi;
    seen = 0;
    LEAVE(me);
    LeaveIf(me)
}

/* CallTable.Find, without a lock */
inline Find(me, connection, id) {
    LOAD(me, SLOT(connection), found);
    if
    :: found -> LOAD(me, ID, seen); atomic { found = (seen == id); seen = 0 }
    :: else
    fi
}

/* Call.IsStill, under the gate */
inline IsStill(me, connection, id) {
#ifdef NO_LOOK_UNDER_THE_GATE
    found = 1
#else
    LOAD(me, IS_ON, found);
    if
    :: found -> Find(me, connection, id)
    :: else
    fi
#endif
}

inline EndReceiving(me, id, needsAnswer) {
    ENTER(me);
    assert(use == id);
    STORE(me, RECEIVED, 1);
    isReceivingReset = 0;
    LOAD(me, SENT, seen);
    if
    :: needsAnswer && !seen ->
        if
        :: STORE(me, SENT, 1)
        :: skip                                 /* no room: it goes later, by another thread */
        fi
    :: else
    fi;
    TryLeave(me);
    LEAVE(me);
    LeaveIf(me)
}

inline ReceiveCredit(me, connection, id) {
    Find(me, connection, id);
    if
    :: found ->
        ENTER(me);
        IsStill(me, connection, id);
        assert(!found || use == id);            /* the credit is this use's */
        LEAVE(me)
    :: else
    fi;
    found = 0
}

inline ReceiveReset(me, connection, id) {
    Find(me, connection, id);
    if
    :: found ->
        ENTER(me);
        IsStill(me, connection, id);
        if
        :: found -> isReceivingReset = 1
        :: else
        fi;
        LEAVE(me);
        if
        :: found -> assert(use == id); EndReceiving(me, id, 1)
        :: else
        fi
    :: else
    fi;
    found = 0
}

inline ReceiveEnd(me, connection, id, needsAnswer) {
    /* CallTable.FindOpen: only this thread ends it, so it stays */
    Find(me, connection, id);
    assert(found);
    LOAD(me, RECEIVED, seen);
    assert(!seen && use == id);
    found = 0;
    EndReceiving(me, id, needsAnswer)
}

#ifdef SERVER

byte started;               /* the handler of that use may run */

proctype Receiver() {
    byte seen, found, id;
    bit leaves, isLast;

    do
    :: use < USES && !isPooled && id == 0 -> skip;
        /* Another frame for one that there is, or was. */
        if
        :: id = 1
        :: use == 2 -> id = 2
        fi
    :: id != 0 ->
        if
        :: atomic { !hasEnded[id] -> hasEnded[id] = 1 };
            if
            :: skip -> ReceiveEnd(RECEIVER, 1, id, 0)
            :: skip -> ReceiveReset(RECEIVER, 1, id)
            fi
        :: atomic { hasEnded[id] && !hasCredit[id] -> hasCredit[id] = 1 };
            if
            :: skip -> ReceiveCredit(RECEIVER, 1, id)
            :: skip -> ReceiveReset(RECEIVER, 1, id)
            fi
        :: skip
        fi;
        id = 0
    :: use == USES && id == 0 ->
        if
        :: !hasEnded[1] || !hasCredit[1] -> id = 1
        :: !hasEnded[2] || !hasCredit[2] -> id = 2
        :: hasEnded[1] && hasEnded[2] && hasCredit[1] && hasCredit[2] -> break
        fi
    :: id == 0 && use < USES && isPooled && !mem[SLOT(1)] ->
        Attach(RECEIVER, 1);
        started = use
    od
}

proctype Handler() {
    byte seen, ran;
    bit leaves, isLast;
end:
    do
    :: started > ran ->
        ran++;
        SendEnd(USER);
        LetGo(USER)
    od
}

proctype Heartbeat() {
    byte seen, found, id, connection;
    bit leaves, isLast, isUsed;
end:
    do
    :: use > 0 && !(isOverdue[1] && isOverdue[2]) ->
        /* CallWatch.Tick: CallTable.TryLookAt */
        LOAD(OTHER, SLOT(1), found);
        if
        :: found ->
            /* Call.Look */
            ENTER(OTHER);
            LOAD(OTHER, IS_ON, found);
            LOAD(OTHER, CONNECTION, connection);
            LOAD(OTHER, SENT, seen);
            if
            :: found && !seen && connection == 1 ->
                LOAD(OTHER, ID, id);
                LOAD(OTHER, FIELDS, seen);
                assert(seen == found);          /* all of it is of the use that is on */
            :: else -> id = 0
            fi;
            LEAVE(OTHER);
            seen = 0; connection = 0;
            if
            :: id && !isOverdue[id] ->
                /* ServerCall.OnOverdue */
                isOverdue[id] = 1;
#ifdef NO_TRY_USE
                isUsed = 1;
#else
                atomic { isUsed = (users > 0); users = users + isUsed };
#endif
                if
                :: isUsed ->
                    /* IsUnderWay */
                    ENTER(OTHER);
#ifdef NO_LOOK_AFTER_TRY_USE
                    found = 1;
#else
#ifdef LOOK_AT_THE_ID_ALONE
                    LOAD(OTHER, IS_ON, found);
                    LOAD(OTHER, ID, seen);
                    found = (found && seen == id);
#else
                    IsStill(OTHER, 1, id);
#endif
                    LOAD(OTHER, SENT, seen);
                    found = (found && !seen);
                    seen = 0;
#endif
                    LEAVE(OTHER);
                    if
                    :: found ->
                        assert(use == id);      /* AbortRequest */
                        SendEnd(OTHER)
                    :: else
                    fi;
#ifndef NO_TRY_USE
                    LetGo(OTHER);
#endif
                    isUsed = 0
                :: else
                fi
            :: else
            fi;
            id = 0
        :: else
        fi;
        found = 0
    od
}

#else

proctype User() {
    byte seen, connection;
    bit leaves, isLast;

    do
    :: use < USES && !isDropped ->
        isPooled;
        /* ClientCall.Begin */
        if
        :: connection = 1
        :: use == 1 -> connection = 2
        fi;
        atomic { carrier[use + 1] = connection };
        Attach(USER, connection);
        hasBegun[use] = 1;
        SendEnd(USER);
        LetGo(USER)
    :: break
    od;
    isOver = 1
}

proctype Reader() {
    byte seen, read;
    bit leaves, isLast;
end:
    do
    :: use > read && hasBegun[read + 1] ->
        read++;
        if
        :: hasEnded[read]                       /* it has read the response to its end */
        :: SendEnd(OTHER)                       /* ClientCall.Abandon */
        fi;
        LetGo(OTHER)                            /* EndResponse */
    od
}

inline Frame() {
    if
    :: atomic { !hasEnded[id] -> hasEnded[id] = 1 }; ReceiveEnd(me, connection, id, 1)
    :: atomic { !hasCredit[id] -> hasCredit[id] = 1 };
        if
        :: ReceiveCredit(me, connection, id)
        :: hasEnded[id] -> ReceiveReset(me, connection, id)
        fi
    fi;
    id = 0
}

proctype Receiver(byte me, connection) {
    byte seen, found, id;
    bit leaves, isLast;
end:
    do
    :: hasBegun[1] && carrier[1] == connection && !(hasEnded[1] && hasCredit[1]) -> id = 1; Frame()
    :: hasBegun[2] && carrier[2] == connection && !(hasEnded[2] && hasCredit[2]) -> id = 2; Frame()
    od
}

#endif

proctype Verdict() {
    byte last;
    timeout ->
    last = use;
    assert(!gate && !mem[IS_ON] && !mem[SLOT(1)] && !mem[SLOT(2)] && !isReceivingReset);
    assert(isPooled && users == USERS && mem[FIELDS] == last + 1);
    assert(last == 0 || hasLeft[1]);
    assert(last < 2 || hasLeft[2])
}

init {
    atomic {
        mem[FIELDS] = 1;
        run Processor(USER);
        run Processor(RECEIVER);
        run Processor(OTHER);
#ifdef SERVER
        run Receiver();
        run Handler();
        run Heartbeat();
#else
        run Processor(SECOND);
        run User();
        run Reader();
        run Receiver(RECEIVER, 1);
        run Receiver(SECOND, 2);
#endif
        run Verdict()
    }
}
