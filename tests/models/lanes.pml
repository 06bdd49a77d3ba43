/*
 * Events from a machine A to a machine M of another process, through the hub and over lanes, which go past the hub; and
 * A's publications, which M gets through the hub. The source is A's process, the target is M's process.
 *
 * Checked: M takes each event at most once, and all of them in the order of the sends; an event is given up as repeated
 * only if M has taken it; once an observer's subscription is answered, M takes nothing more past the hub. When nothing
 * can happen any more, M has taken all that was sent, nothing is held, nobody waits, and all the room in M's window has
 * come back.
 *
 * Stands for the order in which the processes do things. No memory is modelled: each step is one section under a lock,
 * or what the one reader or writer of a connection does with one message. A command waits in the source's queue, not on
 * its way to the hub: where it waits makes no difference. For the same reason answers of the hub have no way of their
 * own: how many of them a lost session has kept back is decided at its loss. A route is opened ROUTES times at most,
 * each time over a lane of its own, which orders less than one lane for all. What the target does not get of a broken
 * lane is at its end: the target drops what is left of it at any moment after the break.
 */

#ifndef SENDS
#define SENDS 4             /* what A sends and publishes, numbered from 1 */
#endif
#ifndef PUBLICATIONS
#define PUBLICATIONS 1      /* how many of these may be publications */
#endif
#ifndef ROUTES
#define ROUTES 2
#endif
#ifndef BREAKS
#define BREAKS 1            /* how many lanes break */
#endif
#ifndef LOSSES
#define LOSSES 1            /* how often the source's session is lost */
#endif
#ifndef DEATHS
#define DEATHS 0            /* how often the hub is killed and started again; then LOSSES must be 0 */
#endif
#ifndef OBSERVERS
#define OBSERVERS 1
#endif
#ifndef WINDOW
#define WINDOW 6            /* for how many events M has room */
#endif

/* What a route gets of the window: half of the half that routes may have. */
#define PART ((WINDOW - (WINDOW + 1) / 2 + 1) / 2)

#define BIT(number) (1 << (number))
#define ALL (BIT(SENDS + 1) - 2)

mtype = { EVENT, FENCE, GRANT, WITHDRAW, TAKEN, REROUTED };
mtype = { CLOSED, FENCING, OPEN, DRAINING };
mtype = { ABSENT, WAITING, ANSWERED };

/* The source. */
mtype state = CLOSED;
byte route;                                     /* the number of the route, from 1; 0: none */
byte room;                                      /* how many events may be written to the lane */
bit barrier;                                    /* a publication waits for what was sent before it */
byte lastNumber, publications;
chan queue = [SENDS + 2] of { mtype, byte };    /* what is to be written to the hub */
chan behind = [SENDS] of { byte };              /* the publication that waits, and what was put in later */
chan unanswered = [SENDS] of { byte };          /* what was written to the hub */
chan tail = [SENDS] of { byte };                /* what was written to the lane */
chan again = [SENDS] of { byte };               /* what the target did not take of it */
chan held = [SENDS] of { byte };

/* The lanes, and the sessions. */
bit stands[ROUTES + 1];
chan lane[ROUTES + 1] = [WINDOW] of { byte };
chan answers[ROUTES + 1] = [SENDS] of { mtype, byte };
bit opened = 1;                                 /* the source's session, as the hub knows it */
chan toSource = [3] of { mtype, byte };
chan toTarget = [3] of { mtype, byte, byte };

/* The hub. */
chan mailbox = [2] of { mtype, byte };
byte credit = WINDOW;                           /* how many of M's events may be written to the target */
byte lastRoute;
byte granted;                                   /* the route that is neither closed nor withdrawn; 0: none */
byte unconfirmed;                               /* the routes whose end the target has not confirmed; a bit for each */
mtype observer = ABSENT;

/* The target. */
byte open;                                      /* the route that it takes events of; 0: none */
byte owed;                                      /* what it is to get besides of the room that the hub's events leave */
byte share;                                     /* the route's part of the window, less the events that have come */
byte atHand[2];                                 /* the events that M has not handled, by the way by which they came */
byte highest[2];                                /* of the numbers that were noted; the second one for variants */

/* For the verdict. */
byte taken;                                     /* a bit for each number */
bit ofOther[SENDS + 1];                         /* sent by another machine of the source */
byte breaks, losses, deaths;
bit calm;                                       /* nothing happens that need not happen */

#define HUB 0
#define LANE 1

inline Queue(from) {
    do
    :: from?number -> queue!EVENT, number
    :: empty(from) -> break
    od
}

inline Drop(from) {
    do
    :: from?_
    :: empty(from) -> break
    od
}

inline DropPairs(from) {
    do
    :: from?_, _
    :: empty(from) -> break
    od
}

/* The hub: what its callers do */

inline Tell(kind_, number_) {
    if
    :: opened -> toSource!kind_, number_
    :: else
    fi
}

inline Withdraw() {
    if
    :: granted ->
        toTarget!WITHDRAW, granted, 0;
#ifdef FORGET_CLOSED_ROUTES
        unconfirmed = (observer == WAITING -> unconfirmed : unconfirmed & ~BIT(granted));
#endif
        granted = 0
    :: else
    fi
}

#define MAY_WITHDRAW (!granted || nfull(toTarget))

/* The source */

inline WriteToLane() {
    room--;
    tail!number;
    if
    :: stands[route] -> lane[route]!number
    :: else
    fi
}

inline Send() {
    if
    :: barrier ->
#if defined(LATER_SENDS_PASS_THE_BARRIER)
        queue!EVENT, number
#elif defined(HOLD_BEHIND_A_PUBLICATION)
        held!number
#else
        behind!number
#endif
    :: !barrier && state == CLOSED -> queue!EVENT, number
    :: !barrier && state == FENCING ->
#ifdef OPEN_WITHOUT_HOLDING
        queue!EVENT, number
#else
        held!number
#endif
    :: !barrier && state == DRAINING -> held!number
    :: !barrier && state == OPEN ->
        if
#ifdef OVERTAKE_THE_HELD
        :: room ->
#else
        :: room && len(held) == 0 ->
#endif
            WriteToLane()
        :: else -> held!number
        fi
    fi
}

inline Publish() {
    if
    :: barrier -> behind!number
    :: !barrier && state == CLOSED -> queue!EVENT, number
    :: !barrier && state != CLOSED ->
#ifdef PUBLISH_WITHOUT_BARRIER
        queue!EVENT, number
#else
        state = DRAINING; barrier = 1;
        behind!number
#endif
    fi
}

/* What the route has left goes through the hub, and then the publication that waits. */
inline Leave() {
    Queue(again);
#ifdef HELD_BEFORE_THE_TAIL
    Queue(held);
    Queue(tail);
#else
    Queue(tail);
    Queue(held);
#endif
    Queue(behind);
    Close()
}

inline Close() {
    if
    :: opened && granted == route -> Withdraw()
    :: else
    fi;
    if
    :: route -> stands[route] = 0; DropPairs(answers[route])
    :: else
    fi;
    state = CLOSED; route = 0; room = 0; barrier = 0; number = 0
}

/*
 * The session is lost, the lane with it, and there is a new session: what was left unanswered comes in front, without a
 * fence.
 */
inline Restore() {
    count = len(queue);
    Queue(unanswered);
    do
    :: count > 0 ->
        count--;
        queue?kind, number;
        if
        :: kind == EVENT -> queue!EVENT, number
        :: else
        fi
    :: else -> break
    od;
    kind = 0;
    DropPairs(toSource);
    Leave();
    opened = 1
}

inline TakeAnswer() {
    answers[route]?kind, number;
    if
    :: tail?[eval(number)] -> tail?number
    :: else
    fi;
    if
    :: kind == REROUTED ->
#ifdef REROUTE_WITHOUT_WAITING
        queue!EVENT, number;
        Queue(held);
        state = CLOSED
#else
        again!number;
        state = DRAINING
#endif
    :: else
    fi
}

proctype Source() {
    byte number, count;
    mtype kind;
end:
    do
    /* A sends or publishes. */
    :: d_step { lastNumber < SENDS -> lastNumber++; number = lastNumber; Send(); number = 0 }
    :: d_step {
        lastNumber < SENDS && publications < PUBLICATIONS ->
        lastNumber++; publications++; number = lastNumber; Publish(); number = 0
    }
#ifdef OTHER
    :: d_step {
        lastNumber < SENDS ->
        lastNumber++; number = lastNumber; ofOther[number] = 1;
        if
        :: barrier -> behind!number
        :: else -> queue!EVENT, number
        fi;
        number = 0
    }
#endif

    /* It asks for a route, and gets it. */
    :: d_step {
        opened && !route && !calm && lastRoute < ROUTES && observer == ABSENT && nfull(toTarget) ->
        lastRoute++;
        granted = lastRoute; route = lastRoute; stands[route] = 1;
        unconfirmed = unconfirmed | BIT(route);
#ifdef NO_FENCE
        toTarget!GRANT, route, credit / 2;
        credit = credit - credit / 2;
        state = OPEN
#else
        toTarget!GRANT, route, 0;
        queue!FENCE, route;
        state = FENCING
#endif
    }

    /* The session's writer, and what the hub does. */
    :: d_step {
        opened && nempty(queue) && nfull(mailbox) && nfull(toTarget) ->
        queue?kind, number;
        if
        :: kind == EVENT -> mailbox!EVENT, number;
            if
            :: losses < LOSSES || deaths < DEATHS -> unanswered!number
            :: else
            fi
        :: kind == FENCE && number == granted ->
#ifdef FENCE_PAST_THE_MAILBOX
            toTarget!FENCE, number, credit / 2;
            credit = credit - credit / 2
#else
            mailbox!FENCE, number
#endif
        :: else
        fi;
        kind = 0; number = 0
    }

    /* The session's reader. */
    :: d_step {
        nempty(toSource) ->
        toSource?kind, number;
        if
        :: kind == FENCE && state == FENCING && number == route -> state = OPEN
        :: kind == WITHDRAW && number == route && (state == FENCING || state == OPEN) -> state = DRAINING
        :: else
        fi;
        kind = 0; number = 0
    }

    /* The lane's writer and reader. */
    :: d_step { state == OPEN && nempty(held) && room -> held?number; WriteToLane(); number = 0 }
    :: d_step { route && nempty(answers[route]) -> TakeAnswer(); kind = 0; number = 0 }

    /* Timers: the fence takes long, no room comes, or nothing is sent. */
#ifndef KEEP_WAITING
    :: d_step { state == FENCING && nempty(held) -> state = DRAINING }
    :: d_step { state == OPEN && nempty(held) && !room -> state = DRAINING }
#endif
    :: d_step { state == OPEN && empty(tail) && empty(held) && !calm -> state = DRAINING }

    /* The end of a route: its tail is answered, its lane is broken, or the session is lost. */
#ifdef DRAIN_WITHOUT_WAITING
    :: d_step { state == DRAINING -> Queue(again); Queue(held); Queue(behind); barrier = 0; state = CLOSED; number = 0 }
#endif
#if defined(DRAIN_WITHOUT_WAITING) || defined(REROUTE_WITHOUT_WAITING)
    :: d_step { route && state == CLOSED && empty(tail) && MAY_WITHDRAW -> Leave() }
#endif
    :: d_step { state == DRAINING && empty(tail) && MAY_WITHDRAW -> Leave() }
    :: d_step { route && !stands[route] && MAY_WITHDRAW -> Leave() }
    :: d_step { !opened -> Restore() }
#if !DEATHS
    /* Some answers have come, or all of them. */
    :: d_step { !opened && len(unanswered) > 1 -> unanswered?number; Restore() }
    :: d_step { !opened && nempty(unanswered) -> Drop(unanswered); Restore() }
#endif
    od
}

/* The hub */

proctype Hub() {
    byte number;
    mtype kind;
end:
    do
    /* The target's session. A fence uses no credit, but there has to be some, of which its route gets a part. */
    :: d_step {
        nfull(toTarget) && credit && nempty(mailbox) ->
        mailbox?kind, number;
        if
        :: kind == EVENT -> credit--; toTarget!EVENT, number, 0
        :: number == granted && kind == FENCE ->
            toTarget!FENCE, number, (credit + 1) / 2;
            credit = credit / 2
        :: else
        fi;
        kind = 0; number = 0
    }

    /* The source's session is lost. */
    :: d_step { opened && losses < LOSSES && !calm && MAY_WITHDRAW -> losses++; opened = 0; Withdraw() }

#if DEATHS
    /* The hub is another one, with empty mailboxes. The target closes its lanes with its session. */
    :: d_step {
        opened && deaths < DEATHS && !calm ->
        deaths++;
        opened = 0; granted = 0; unconfirmed = 0; observer = ABSENT;
        DropPairs(mailbox);
        do
        :: toTarget?_, _, _
        :: empty(toTarget) -> break
        od;
        stands[1] = 0; stands[2] = 0;
        open = 0; share = 0; owed = 0; credit = WINDOW - atHand[HUB] - atHand[LANE]
    }
#endif

    /* The observer. */
    :: d_step {
        observer == ABSENT && OBSERVERS && !calm && nfull(toSource) && MAY_WITHDRAW ->
        observer = WAITING;
        if
        :: granted -> Tell(WITHDRAW, granted)
        :: else
        fi;
        Withdraw()
    }
#ifdef ANSWER_THE_OBSERVER_AT_ONCE
    :: d_step { observer == WAITING -> observer = ANSWERED }
#else
    :: d_step { observer == WAITING && !unconfirmed -> observer = ANSWERED }
#endif
    od
}

/* The target */

#ifdef OTHER
#define IS_BEFORE(earlier) (ofOther[earlier] == ofOther[number])
#else
#define IS_BEFORE(earlier) true
#endif

#if defined(NOTE_EACH_WAY_APART)
#define NOTED highest[way]
#elif defined(OTHER) && !defined(NOTE_BY_THE_SENDER_ALONE)
#define NOTED highest[ofOther[number]]
#else
#define NOTED highest[0]
#endif

/* Whether it is repeated; it is noted if not. */
inline Note(way) {
    isRepeated = (number <= NOTED);
    NOTED = (isRepeated -> NOTED : number)
}

inline Put(way) {
    if
    :: isRepeated -> assert(taken & BIT(number))
    :: else ->
        assert(!(taken & BIT(number)));
        earlier = 1;
        do
        :: earlier < number -> assert((taken & BIT(earlier)) || !IS_BEFORE(earlier)); earlier++
        :: else -> break
        od;
        earlier = 0;
        taken = taken | BIT(number)
    fi;
    assert(way == HUB || observer != ANSWERED)
}

inline Answer(kind_) {
    if
    :: stands[from] -> answers[from]!kind_, number
    :: else
    fi
}

/* Room that the route gets, of which the source learns over the lane. */
inline GiveShare(rooms_) {
    share = share + rooms_;
    room = room + (route == open && stands[open] -> rooms_ : 0)
}

/* The room of an event that M has handled goes back on the way by which the event came. */
inline GiveRoom(way) {
    if
    :: way == LANE && open -> GiveShare(1)
    :: way == HUB && open && owed -> owed--; GiveShare(1)
    :: (way == HUB && !(open && owed)) || (way == LANE && !open) -> credit++
    fi
}

#ifdef SLOW
#define HAND_OVER(way) atHand[way]++
#else
#define HAND_OVER(way) GiveRoom(way)
#endif

proctype SessionReader() {
    byte number, rooms, taking, earlier;
    mtype kind;
    bit isRepeated;
end:
    do
    :: d_step {
        nempty(toTarget) && nfull(toSource) ->
        toTarget?kind, number, rooms;
        if
        :: kind == EVENT -> Note(HUB); Put(HUB); HAND_OVER(HUB)
        :: kind == GRANT -> open = number; GiveShare(rooms)
        :: kind == FENCE ->
            if
            :: number == granted -> Tell(FENCE, number)
            :: else
            fi;
            if
            :: number == open && PART ->
                taking = (rooms < PART -> rooms : PART);
                GiveShare(taking);
                credit = credit + rooms - taking;
                owed = PART - taking; taking = 0
            :: else -> credit = credit + rooms
            fi
        :: kind == WITHDRAW ->
            unconfirmed = unconfirmed & ~BIT(number);
#ifndef KEEP_THE_SHARE
            credit = credit + share;
#endif
            share = 0; open = 0; owed = 0
        fi;
        kind = 0; number = 0; rooms = 0; isRepeated = 0
    }
    od
}

proctype LaneReader(byte from) {
    byte number, earlier;
    bit isRepeated, isTaken;
end:
    do
    :: d_step {
        nempty(lane[from]) && !number ->
        lane[from]?number;
        isTaken = (open == from);
#ifdef CHECK_THE_ROUTE_OUTSIDE_OF_THE_LOCK
    }
    :: d_step {
        number ->
#endif
#ifdef NOTE_WHAT_IS_REROUTED
        Note(LANE);
#else
        if
        :: isTaken -> Note(LANE)
        :: else
        fi;
#endif
#ifdef NOTE_OUTSIDE_OF_THE_LOCK
    }
    :: d_step {
        number ->
#endif
        if
        :: isTaken ->
            Put(LANE);
            if
            :: open == from -> share--; HAND_OVER(LANE)
            :: else
            fi;
            Answer(TAKEN)
        :: else -> Answer(REROUTED)
        fi;
        number = 0; isRepeated = 0; isTaken = 0
    }
    :: d_step {
        !stands[from] && nempty(lane[from]) ->
        Drop(lane[from]);
        skip
    }
    od
}

#ifdef SLOW
/* M, in any order of the ways: only the room counts here. */
proctype Machine() {
end:
    do
    :: d_step { atHand[HUB] -> atHand[HUB]--; GiveRoom(HUB) }
    :: d_step { atHand[LANE] -> atHand[LANE]--; GiveRoom(LANE) }
    od
}
#endif

proctype Breaker() {
    do
    :: d_step { breaks < BREAKS && stands[1] -> breaks++; stands[1] = 0 }
    :: d_step { breaks < BREAKS && stands[2] -> breaks++; stands[2] = 0 }
    :: calm = 1 -> break
    od
}

proctype Verdict() {
    timeout ->
    assert(taken == ALL);
    assert(empty(queue) && empty(behind) && empty(tail) && empty(again) && empty(held));
    assert(observer != WAITING);
    assert(state == CLOSED || state == OPEN);
    assert(credit + share == WINDOW)
}

init {
    atomic {
        run Source();
        run Hub();
        run SessionReader();
        run LaneReader(1);
        run LaneReader(2);
#ifdef SLOW
        run Machine();
#endif
        run Breaker();
        run Verdict()
    }
}
