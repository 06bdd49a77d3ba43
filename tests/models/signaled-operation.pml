/*
 * Signaling/SignaledOperation.cs. operation.pml and reactor.pml include this file after turn.pml. They define the
 * places STATE, which is the operation's turn, and SEAL, and these inlines of the operation itself:
 *
 *   AnnounceWait(thread), TryComplete(thread)   the latter sets found
 *   AfterLast(thread)                           what Seal was given
 *
 * Each inline stands for the method of its name. A thread that uses them has the locals seen, state, found and again.
 */

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
    Turn_TrySeal(thread);
    if
    :: state == IDLE -> atomic { assert(!looking && !underWay && !sealings); sealings++ }; AfterLast(thread)
    :: else -> state = 0
    fi
}

inline Leave(thread) {
    Turn_Leave(thread);
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
    Turn_TryEnter(thread)
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
        Turn_TakeSignal(thread);
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
            Turn_TryWait(thread);
            if
            :: state == OWNED -> again = 0
            :: else -> state = 0
            fi
        fi
    :: else -> break
    od;
    state = 0
}

inline Signal(thread) {
    Turn_TrySignal(thread);
    if
    :: atomic { state == WAITING -> state = 0 }; Settle(thread)
    :: else
    fi
}
