/*
 * A client's connection in direct mode: calls that begin and end, a timer that retires the connection when it had no
 * calls for a while, and a server that goes away. It has the list in which new calls find the connection, and the
 * timers that run while there are calls, or while there are none.
 *
 * Checked: a connection is never closed while one of its calls is open; a retired connection is closed, and no new call
 * finds a closed connection in the list; an unused connection is retired in the end; while a call is open, the
 * keep-alive timer asks the server for signs of life.
 *
 * Stands for, in src/GrpcShm.Client/Direct: DirectConnection.cs, IdleTimer.cs, of ClientConnections*.cs TrySend, Take
 * and Remove; in src/GrpcShm.Transport/Calls: KeepAlive.cs, of CallTable.cs TryAdd and Remove. A Lock is entered and
 * left by interlocked operations, which are fences; the runtime's timer takes a lock of its own. The keep-alive timer
 * is independent of the rest, so -DKEEP_ALIVE_RUNS models only this timer and the calls.
 */

#define USES 0              /* DirectConnection._uses: its lower half */
#define CHANGES 1           /* the same: both halves as one number */
#define CLOSING 2           /* DirectConnection._isClosing */
#define RETIRED 3           /* DirectConnection._isRetired */
#define LIVE 4              /* ClientConnections._live has the connection */
#define ARMED 5             /* IdleTimer._isArmed */
#define TICKING 6           /* KeepAlive._isTicking */
#define CALLS 7             /* CallTable._count */
#define PLACES 8

#define TAKER 0             /* who has made the connection, and is the first to begin a call */
#define CALLER 1
#define IDLE_TIMER 2
#define SERVER 3            /* what it says, by the thread that receives: it goes away */
#define KEEP_ALIVE 4
#define THREADS 5
#define BUFFER 2

#ifndef ROUNDS
#define ROUNDS 1            /* how many calls each begins */
#endif

#include "memory.pml"

bit gate;                   /* ClientConnections._gate */
bit closingGate;            /* DirectConnection._closing */
bit isClosed;               /* DirectConnection._isClosed */
bit idleIsSet, keepAliveIsSet;  /* the runtime's timers */
byte seenByTimer;           /* IdleTimer._seen: of who has armed it, and then of the timer */
bit asked;                  /* the keep-alive timer has ticked while there was a call */
byte underWay, done;        /* for the verdict: calls that have been taken and have not ended */

#define ENTER(thread, lock) atomic { !lock && DRAINED(thread) -> lock = 1 }
#define LEAVE(thread, lock) atomic { DRAINED(thread) -> lock = 0 }

/* Interlocked.Add of the one word that USES and CHANGES are */
#define ADD(thread, change, into) \
    atomic { DRAINED(thread) -> mem[USES] = mem[USES] + change; mem[CHANGES]++; into = mem[USES] }

inline CloseIfUnused(me) {
    ENTER(me, closingGate);
    if
    :: isClosed
    :: else ->
#ifdef NO_FENCE_IN_CLOSE_IF_UNUSED
        STORE_RELEASE(me, CLOSING, 1);
#else
        EXCHANGE(me, CLOSING, 1, seen);
#endif
#ifdef CLOSE_WITHOUT_A_LOOK
        seen = 0;
#else
        LOAD(me, USES, seen);
#endif
        if
        :: seen != 0 -> EXCHANGE(me, CLOSING, 0, seen)
        :: else -> atomic { isClosed = 1; assert(!underWay) }
        fi
    fi;
    seen = 0;
    LEAVE(me, closingGate)
}

inline Remove(me) {
    /* ClientConnections.Remove */
    ENTER(me, gate);
    STORE_RELEASE(me, LIVE, 0);
    LEAVE(me, gate)
}

inline Retire(me) {
#ifdef REMOVE_BEFORE_RETIRED
    Remove(me);
    STORE_RELEASE(me, RETIRED, 1);
#else
    STORE_RELEASE(me, RETIRED, 1);
    Remove(me);
#endif
    CloseIfUnused(me)
}

inline StartTimer(me) {
    /* IdleTimer.Start */
    LOAD(me, CHANGES, seen);
    atomic { DRAINED(me) -> seenByTimer = seen; seen = 0; idleIsSet = 1 }
}

inline Arm(me) {
    LOAD(me, ARMED, seen);
    if
    :: seen == 0 ->
        EXCHANGE(me, ARMED, 1, seen);
        if
        :: seen == 0 -> StartTimer(me)
        :: else
        fi
    :: else
    fi;
    seen = 0
}

inline ReleaseCall(me) {
#ifdef LOOK_BEFORE_THE_COUNT
    LOAD(me, RETIRED, state);
#endif
    ADD(me, -1, seen);
#ifndef LOOK_BEFORE_THE_COUNT
    LOAD(me, RETIRED, state);
#endif
    if
    :: seen == 0 ->
        if
        :: state -> CloseIfUnused(me)
        :: else -> Arm(me)
        fi
    :: else
    fi;
    seen = 0; state = 0
}

inline StartKeepAlive(me) {
    /* KeepAlive.Start */
    LOAD(me, TICKING, seen);
    if
    :: seen == 0 ->
        EXCHANGE(me, TICKING, 1, seen);
        if
        :: seen == 0 -> keepAliveIsSet = 1
        :: else
        fi
    :: else
    fi;
    seen = 0
}

inline Add(me, change) {
    /* CallTable.TryAdd, Remove: under its lock, which is left by a fence */
    atomic { DRAINED(me) -> mem[CALLS] = mem[CALLS] + change }
}

inline TryAdd(me) {
#ifdef COUNT_AFTER_THE_LOOK
    LOAD(me, CLOSING, seen);
    ADD(me, 1, state);
    state = 0;
#else
    ADD(me, 1, seen);
    LOAD(me, CLOSING, seen);
#endif
    if
    :: seen -> seen = 0; Retire(me); ReleaseCall(me)
    :: else ->
        atomic { assert(!isClosed); underWay++ };
        Add(me, 1);
#ifdef KEEP_ALIVE_RUNS
        asked = 0;
        StartKeepAlive(me);
        if
        :: skip
        :: skip -> asked                        /* a silent server; else the verdict */
        fi;
#endif
        Add(me, -1);
        underWay--;
        ReleaseCall(me)
    fi
}

inline Call(me) {
    /* ClientConnections.TrySend */
    LOAD(me, LIVE, seen);
    if
    :: seen -> TryAdd(me)
    :: else
    fi;
    seen = 0
}

proctype Taker() {
    byte seen, state, rounds;

    /* new DirectConnection, ClientConnections.Take: whoever it was made for may be gone */
    Arm(TAKER);
    ENTER(TAKER, gate);
#ifdef TAKE_WITHOUT_A_LOOK
    STORE_RELEASE(TAKER, LIVE, 1);
#else
    LOAD(TAKER, RETIRED, seen);
    if
    :: !seen -> STORE_RELEASE(TAKER, LIVE, 1)
    :: else
    fi;
    seen = 0;
#endif
    LEAVE(TAKER, gate);
    do
    :: rounds < ROUNDS -> rounds++; Call(TAKER)
    :: break
    od;
    done++
}

proctype Caller() {
    byte seen, state, rounds;

    do
    :: rounds < ROUNDS -> rounds++; Call(CALLER)
    :: break
    od;
    done++
}

proctype IdleTimer() {
    byte seen, state;
end:
    do
    :: atomic { idleIsSet -> idleIsSet = 0 };
        /* IdleTimer.Tick */
        LOAD(IDLE_TIMER, USES, seen);
        if
        :: seen != 0 ->
#ifdef NO_FENCE_IN_TICK
            STORE_RELEASE(IDLE_TIMER, ARMED, 0);
#else
            EXCHANGE(IDLE_TIMER, ARMED, 0, seen);
#endif
#ifdef NO_LOOK_AFTER_DISARMING
            seen = 1;
#else
            LOAD(IDLE_TIMER, USES, seen);
#endif
            if
            :: seen == 0 -> Arm(IDLE_TIMER)
            :: else
            fi
        :: else ->
            LOAD(IDLE_TIMER, CHANGES, seen);
            if
            :: seen != seenByTimer -> StartTimer(IDLE_TIMER)
            :: else -> Retire(IDLE_TIMER)
            fi
        fi;
        seen = 0
    od
}

proctype KeepAlive() {
    byte seen;
end:
    do
    :: atomic { keepAliveIsSet -> keepAliveIsSet = 0 };
        /* KeepAlive.Tick */
        LOAD(KEEP_ALIVE, CALLS, seen);
        if
        :: seen == 0 ->
#ifdef NO_FENCE_IN_KEEP_ALIVE
            STORE_RELEASE(KEEP_ALIVE, TICKING, 0);
#else
            EXCHANGE(KEEP_ALIVE, TICKING, 0, seen);
#endif
#ifndef NO_LOOK_AFTER_KEEP_ALIVE
            LOAD(KEEP_ALIVE, CALLS, seen);
            if
            :: seen > 0 -> StartKeepAlive(KEEP_ALIVE)
            :: else
            fi
#endif
        :: else -> asked = 1; keepAliveIsSet = 1
        fi;
        seen = 0
    od
}

proctype Server() {
    byte seen, state;

    if
    :: Retire(SERVER)                           /* CallConnection.OnGoingAway */
    :: skip
    fi;
    done++
}

proctype Verdict() {
    timeout ->
    assert(!underWay && mem[USES] == 0);
#ifdef KEEP_ALIVE_RUNS
    assert(done == 2)
#else
    assert(done == 3);
    assert(mem[RETIRED] && isClosed && !mem[LIVE])
#endif
}

init {
    atomic {
        run Processor(TAKER);
        run Processor(CALLER);
        run Taker();
        run Caller();
#ifdef KEEP_ALIVE_RUNS
        run Processor(KEEP_ALIVE);
        run KeepAlive();
#else
        run Processor(IDLE_TIMER);
        run IdleTimer();
#ifdef NO_SERVER
        done = 1;
#else
        run Processor(SERVER);
        run Server();
#endif
#endif
        run Verdict()
    }
}
