/*
 * Signaling/Turn.cs. The models whose threads take turns include this file: operation.pml, reactor.pml, receiving.pml.
 * They define the place STATE, which is Turn._state.
 *
 * Each inline stands for the method of its name. A thread that uses them has the locals seen, state and again. The
 * result of a method is in state, which the user sets to 0 again.
 */

/* Turn.cs, the constants */
#define IDLE 0
#define WAITING 1
#define OWNED 2
#define SIGNALED 3
#define SEALED 4

/* The caller has the turn if state is IDLE. */
inline Turn_TryEnter(thread) {
    COMPARE_EXCHANGE(thread, STATE, OWNED, IDLE, state)
}

/* The caller has the turn if state is WAITING. */
inline Turn_TrySignal(thread) {
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
            :: atomic { state == WAITING -> seen = 0; again = 0 }
            :: else -> seen = 0; state = 0
            fi
        :: seen == OWNED ->
#ifdef NO_SIGNAL_WHILE_OWNED
            again = 0
#else
            COMPARE_EXCHANGE(thread, STATE, SIGNALED, OWNED, state);
            if
            :: state == OWNED -> seen = 0; state = 0; again = 0
            :: else -> seen = 0; state = 0
            fi
#endif
        :: else -> again = 0
        fi
    :: else -> break
    od;
    seen = 0
}

inline Turn_TakeSignal(thread) {
#ifdef NO_FENCE_IN_TAKE_SIGNAL
    STORE_RELEASE(thread, STATE, OWNED)
#else
    EXCHANGE(thread, STATE, OWNED, state);
    state = 0
#endif
}

/* The caller waits, and has the turn no more, if state is OWNED. */
inline Turn_TryWait(thread) {
#ifdef NO_LOOK_AFTER_A_SIGNAL_WHILE_OWNED
    EXCHANGE(thread, STATE, WAITING, state);
    state = OWNED
#else
    COMPARE_EXCHANGE(thread, STATE, WAITING, OWNED, state)
#endif
}

inline Turn_Yield(thread) {
    EXCHANGE(thread, STATE, WAITING, state);
    state = 0
}

inline Turn_Leave(thread) {
#ifdef NO_FENCE_IN_LEAVE
    STORE_RELEASE(thread, STATE, IDLE)
#else
    EXCHANGE(thread, STATE, IDLE, state);
    state = 0
#endif
}

inline Turn_Seal(thread) {
    EXCHANGE(thread, STATE, SEALED, state);
    state = 0
}

/* The caller has sealed it if state is IDLE. */
inline Turn_TrySeal(thread) {
    COMPARE_EXCHANGE(thread, STATE, SEALED, IDLE, state)
}
