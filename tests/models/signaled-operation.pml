/*
 * Signaling/SignaledOperation.cs, for operation.pml and reactor.pml to include. They define the places STATE and SEAL,
 * and of the operation itself
 *
 *   AnnounceWait(thread), TryComplete(thread)   the latter sets found
 *   AfterLast(thread)                           what Seal was given
 *
 * Each inline is the method of its name. A thread that uses them has the locals seen, state, found and again.
 */

/* SignaledOperation.cs, the constants */
#define IDLE 0
#define WAITING 1
#define OWNED 2
#define SIGNALED 3
#define SEALED 4

/* What a look finds. */
#define NOTHING 0
#define RESULT 1
#define FAILURE 2
#define CANCELLATION 3

/* For the verdict: that an operation is under way and how it ended; who looks; how often it has been sealed. */
bit underWay;
byte outcome;
byte looking;
byte sealings;

inline TrySeal(thread) {
    COMPARE_EXCHANGE(thread, STATE, SEALED, IDLE, state);
    if
    :: state == IDLE -> atomic { assert(!looking && !underWay && !sealings); sealings++ }; AfterLast(thread)
    :: else -> state = 0
    fi
}

inline Leave(thread) {
#ifdef NO_FENCE_IN_LEAVE
    STORE_RELEASE(thread, STATE, IDLE);
#else
    EXCHANGE(thread, STATE, IDLE, state);
    state = 0;
#endif
    LOAD(thread, SEAL, seen);
    if
    :: atomic { seen -> seen = 0 }; TrySeal(thread)
    :: else
    fi
}

inline Seal(thread) {
    COMPARE_EXCHANGE(thread, SEAL, 1, 0, seen);
    if
    :: atomic { !seen -> state = 0 }; TrySeal(thread)
    :: else -> seen = 0
    fi
}

/* state is what Enter found: the operation has begun if that was IDLE */
inline Enter(thread) {
    COMPARE_EXCHANGE(thread, STATE, OWNED, IDLE, state)
}

inline Look(thread) {
    atomic { assert(!looking); looking++ };     /* one owner at a time */
    TryComplete(thread);
    looking--
}

inline Finish(thread) {
    underWay = 0;
    Leave(thread);
    atomic { DRAINED(thread) ->                 /* SetResult, SetException: seen after all that was stored before */
        outcome = found; found = NOTHING }
}

inline Settle(thread) {
    again = 1;
    do
    :: again ->
#ifdef NO_FENCE_IN_SETTLE
        STORE_RELEASE(thread, STATE, OWNED);
#else
        EXCHANGE(thread, STATE, OWNED, state);
        state = 0;
#endif
#ifdef ANNOUNCE_AFTER_THE_LOOK
        Look(thread);
        AnnounceWait(thread);
#else
        AnnounceWait(thread);
        Look(thread);
#endif
        if
        :: found == NOTHING -> LookForCancellation(thread)
        :: else
        fi;
        if
        :: found != NOTHING -> Finish(thread); again = 0
        :: else ->
#ifdef NO_LOOK_AFTER_A_SIGNAL_WHILE_OWNED
            EXCHANGE(thread, STATE, WAITING, state); again = 0
#else
            COMPARE_EXCHANGE(thread, STATE, WAITING, OWNED, state);
            if
            :: state == OWNED -> again = 0
            :: else -> state = 0
            fi
#endif
        fi
    :: else -> break
    od;
    state = 0
}

inline Signal(thread) {
#ifndef NO_FENCE_IN_SIGNAL
    FENCE(thread);
#endif
    again = 1;
    do
    :: again ->
        LOAD(thread, STATE, seen);
        if
        :: seen == WAITING ->
            COMPARE_EXCHANGE(thread, STATE, OWNED, WAITING, state);
            if
            :: atomic { state == WAITING -> seen = 0; state = 0 }; Settle(thread)
            :: else -> seen = 0; state = 0
            fi
        :: seen == OWNED ->
#ifdef NO_SIGNAL_WHILE_OWNED
            again = 0
#else
            COMPARE_EXCHANGE(thread, STATE, SIGNALED, OWNED, state);
            if
            :: state == OWNED -> again = 0
            :: else -> seen = 0; state = 0
            fi
#endif
        :: else -> again = 0
        fi
    :: else -> break
    od;
    seen = 0; state = 0
}
