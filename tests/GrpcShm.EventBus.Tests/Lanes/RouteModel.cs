using System.Globalization;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>
/// A client's queue and routes, with a plain model of all around them: a hub, one other process, and a lane. Steps
/// happen in any order. At the end each pair's events must have arrived once, in order.
/// </summary>
internal sealed class RouteModel
{
    public const int Kinds = 20;

    private const ulong Stamp = 77;
    private static readonly string[] Sources = ["A", "B"];
    private static readonly string[] Targets = ["X", "Y"];

    private readonly LaneTimes _times = new() { AskAfterSends = 2, AskAgainAfter = 10 };
    private readonly CommandQueue _queue = new(int.MaxValue, 5);
    private readonly LaneOutbox _lane = new(1);

    // What was sent, and what has arrived, by source and target.
    private readonly Dictionary<(string, string), List<string>> _sent = [];
    private readonly Dictionary<(string, string), List<string>> _arrived = [];
    private readonly Dictionary<string, RepeatedEvents> _repeated = [];

    // The session: written and not carried out; carried out and not known to the client; the mailboxes of the targets.
    private readonly Queue<PendingCommand> _written = new();
    private readonly List<PendingCommand> _unanswered = [];
    private readonly Dictionary<string, Queue<Mail>> _mailboxes = [];
    private object _session = new();

    // The lane: deliveries and answers on their way, and the routes that the other process knows.
    private readonly Queue<LaneSend> _deliveries = new();
    private readonly Queue<LaneFrame> _answers = new();
    private readonly HashSet<uint> _taken = [];
    private readonly HashSet<uint> _over = [];
    private readonly Dictionary<uint, string> _targets = [];
    private readonly List<ulong> _unprocessed = [];

    // What the other process still reads of a lane that has ended at the source.
    private readonly Queue<LaneSend> _stale = new();
    private bool _readsStale;
    private ulong _read;
    private uint _lastRoute;
    private int _lastEvent;
    private long _now = 1_000;

    public RouteModel()
    {
        _queue.UseRoutes((hub, front) => new RouteTable(hub, front, _times, static _ => true)
        {
            Clock = () => _now,
            RequestAnswered = (route, outcome) => Use(r => r.NoteRequest(route, outcome, _now)),
            FenceAnswered = (route, outcome) => Use(r => r.NoteFence(route, outcome is null, _now)),
        }, Run);
        Use(routes => routes.Begin(_session, 5, HubLimits.Unknown));
        Use(routes => routes.NoteReady(_lane, _now));
    }

    /// <summary>How many events went over the lane.</summary>
    public int Carried { get; private set; }

    /// <summary>How many commands waited for events on the lane.</summary>
    public int Barriers { get; private set; }

    private enum MailKind
    {
        Event,
        Fence,
    }

    public void Step(int kind, int argument)
    {
        _now += argument % 3;
        var source = Sources[argument % 2];
        var target = Targets[argument / 2 % 2];
        switch (kind)
        {
            case 0 or 1 or 2 or 3:
                var isAwaited = argument % 5 == 0;
                Send(source, target, isAwaited ? AcknowledgementLevel.Processed : AcknowledgementLevel.Accepted);
                break;
            case 4 when argument % 3 == 0:
                Publish(source);
                break;
            case 5 or 6:
                Write((argument % 9) + 1);
                break;
            case 7 or 8:
                Repeat(argument % 7, CarryOut);
                break;
            case 9 or 10:
                Repeat(argument % 7, () => Deliver(target));
                break;
            case 11 or 12:
                WriteLane((argument % 3) + 1);
                break;
            case 13 when argument % 3 == 0:
                ReadStale();
                break;
            case 13 or 14:
                ReadLane();
                break;
            case 15 or 16:
                Repeat(argument % 3, ReadAnswer);
                break;
            case 17 when argument % 9 == 0:
                Withdraw();
                break;
            case 18 when _lane.IsReady && argument % 7 == 0:
                BreakLane(argument % 2 == 0);
                break;
            case 18 when !_lane.IsReady:
                Use(routes => routes.NoteReady(_lane, _now));
                break;
            case 19 when argument % 20 == 0:
                LoseSession(argument);
                break;
            case 19:
                _now += argument % 120;
                Use(routes => routes.Expire(_now));
                break;
        }
    }

    private static void Repeat(int times, Action action)
    {
        for (var i = 0; i < times; i++)
        {
            action();
        }
    }

    /// <summary>Lets everything that is under way arrive, and compares.</summary>
    public void Check()
    {
        for (var quiet = 0; quiet < 3; quiet++)
        {
            for (var i = 0; i < 2_000 && !IsQuiet; i++)
            {
                ReadStale();
                Write(8);
                CarryOut();
                Array.ForEach(Targets, Deliver);
                WriteLane(8);
                ReadLane();
                ReadAnswer();
            }

            _now += 10_000;
            Use(routes => routes.Expire(_now));
        }

        foreach (var (pair, sent) in _sent)
        {
            Assert.Equal(sent, _arrived.GetValueOrDefault(pair) ?? []);
        }

        Assert.True(IsQuiet);
        Assert.False(_lane.IsReady && _lane.First <= _lane.Last);
    }

    private bool IsQuiet => _queue.List().Length + _written.Count == 0
        && _deliveries.Count + _answers.Count + _stale.Count == 0
        && _mailboxes.Values.All(static mailbox => mailbox.Count == 0) && _lane.Taken == _lane.Last;

    private static void Note(Dictionary<(string, string), List<string>> log, string source, string target, string name)
    {
        if (!log.TryGetValue((source, target), out var names))
        {
            log.Add((source, target), names = []);
        }

        names.Add(name);
    }

    private static void Answer(PendingCommand command) => (command as PendingMessage)?.Answered?.Invoke(null);

    private void Use(Action<RouteTable> use)
    {
        if (_queue.Use(use, static (routes, use) => use(routes)) is { } effects)
        {
            Run(effects);
        }
    }

    // What the client does when it has given the lock back.
    private void Run(RouteEffects effects)
    {
        Carried += effects.Carried;
        Assert.Empty(effects.Failed);
        foreach (var note in effects.Notes.Where(static note => note.CloseRoute is not null))
        {
            // The hub tells the target, which takes nothing more.
            _taken.Remove(note.CloseRoute.Route);
        }

        if (effects.Broken.Count > 0)
        {
            CloseLane();
        }

        effects.Clear();
        _queue.GiveBack(effects);
    }

    private void Send(string source, string target, AcknowledgementLevel level)
    {
        var name = NextName();
        Note(_sent, source, target, name);
        var names = new EventNames(source, target, name);
        Add(new PendingEvent(names, new EncodedSend([1], 1, 1, default)) { Level = level });
    }

    private void Publish(string source)
    {
        var name = NextName();
        Array.ForEach(Targets, target => Note(_sent, source, target, name));
        var command = new PendingEvent(new EventNames(source, "", name), new EncodedSend([1], 1, 1, default))
        {
            Publication = new Publication { All = new AllMachines() },
        };
        Add(command);
        Barriers += command.Barrier is { OpenRoutes: > 0 } ? 1 : 0;
    }

    private string NextName() => (++_lastEvent).ToString(CultureInfo.InvariantCulture);

    private void Add(PendingCommand command)
    {
        Assert.Null(_queue.TryAdd(command));
    }

    private void Write(int count)
    {
        var batch = new List<PendingCommand>();
        _queue.Take(batch, count, int.MaxValue);
        foreach (var command in batch.Where(command => command.OnlyIn is null || command.OnlyIn == _session))
        {
            _written.Enqueue(command);
        }
    }

    private void CarryOut()
    {
        if (!_written.TryDequeue(out var command))
        {
            return;
        }

        switch (command)
        {
            case PendingEvent { Publication: null } sent:
                Put(sent.Names.Target, new Mail(MailKind.Event, sent));
                _unanswered.Add(command);
                break;
            case PendingEvent published:
                Array.ForEach(Targets, target => Put(target, new Mail(MailKind.Event, published)));
                _unanswered.Add(command);
                break;
            case PendingMessage { Command.RequestRoute: { } request }:
                _taken.Add(++_lastRoute);
                _targets[_lastRoute] = request.Target;
                var grant = new RouteGrant
                {
                    Route = _lastRoute, Source = request.Source, Target = request.Target, Sender = Stamp,
                    MaxEventSize = 1_000,
                };
                Use(routes => Assert.True(routes.TryGrant(grant, _lane, _session, _now) || _taken.Remove(grant.Route)));
                Answer(command);
                break;
            case PendingMessage { Command.Fence: { } fence } when _taken.Contains(fence.Route):
                Put(_targets[fence.Route], new Mail(MailKind.Fence, command));
                break;
            case PendingMessage { Command.Fence: not null } message:
                message.Answered!(new Outcome { StatusCode = (int)StatusCode.FailedPrecondition });
                break;
        }
    }

    private void Put(string target, Mail mail)
    {
        if (!_mailboxes.TryGetValue(target, out var mailbox))
        {
            _mailboxes.Add(target, mailbox = new Queue<Mail>());
        }

        mailbox.Enqueue(mail);
    }

    private void Deliver(string target)
    {
        if (!_mailboxes.TryGetValue(target, out var mailbox) || !mailbox.TryDequeue(out var mail))
        {
            return;
        }

        if (mail.Command is PendingEvent @event)
        {
            Receive(target, @event);
        }
        else if (mail.Command is PendingMessage { Command.Fence: { } fence } command)
        {
            if (_taken.Contains(fence.Route) && _lane.IsReady)
            {
                var credit = new Credit { Subscription = fence.Route, Deliveries = 3 };
                _answers.Enqueue(new LaneFrame { Credits = { credit } });
            }

            if (command.OnlyIn == _session)
            {
                Answer(command);
            }
        }
    }

    private void Receive(string target, PendingEvent @event)
    {
        if (!_repeated.TryGetValue(target, out var repeated))
        {
            _repeated.Add(target, repeated = new RepeatedEvents());
        }

        if (!repeated.IsRepeated(Stamp, @event.Names.Source, @event.Sequence))
        {
            Note(_arrived, @event.Names.Source, target, @event.Names.Name);
        }
    }

    private void WriteLane(int count)
    {
        var batch = new List<LaneSend>();
        Use(_ => _lane.Take(batch, count, int.MaxValue, mayBeLarge: true));
        batch.ForEach(_deliveries.Enqueue);
    }

    private void ReadLane()
    {
        if (!_deliveries.TryDequeue(out var delivery))
        {
            return;
        }

        Assert.Equal(++_read, delivery.Number);
        var frame = new LaneFrame();
        if (_taken.Contains(delivery.Route))
        {
            Receive(delivery.Event.Names.Target, delivery.Event);
            frame.Credits.Add(new Credit { Subscription = delivery.Route, Deliveries = 1 });
            if (delivery.Event.Level > AcknowledgementLevel.Delivered)
            {
                _unprocessed.Add(delivery.Number);
            }
        }
        else
        {
            // Nothing of the route is taken after this, by whatever way the process learned that it has ended.
            _over.Add(delivery.Route);
            frame.Outcomes.Add(new LaneOutcome { Number = delivery.Number, Rerouted = true });
        }

        frame.AcceptedThrough = delivery.Number;
        if (_unprocessed.Count > 1)
        {
            frame.Outcomes.Add(new LaneOutcome { Number = _unprocessed[0] });
            _unprocessed.RemoveAt(0);
        }

        _answers.Enqueue(frame);
    }

    private void ReadAnswer()
    {
        if (!_answers.TryDequeue(out var frame) || !_lane.IsReady)
        {
            return;
        }

        Use(routes =>
        {
            foreach (var outcome in frame.Outcomes)
            {
                Assert.True(routes.TryAnswer(_lane, outcome, _now));
            }

            Assert.True(routes.TryAccept(_lane, frame.AcceptedThrough, _now));
            foreach (var credit in frame.Credits)
            {
                Assert.True(routes.TryAddCredit(_lane, credit.Subscription, credit.Deliveries, _now));
            }
        });
    }

    private void Withdraw()
    {
        if (_taken.Count > 0)
        {
            var route = _taken.Max();
            _taken.Remove(route);
            _over.Add(route);
            Use(routes => routes.Withdraw(route, _now));
        }
    }

    private void BreakLane(bool readsRest)
    {
        _readsStale = readsRest;
        Use(routes => routes.Break(_lane, _now));
    }

    // What is on its way is lost, or is read at any time later.
    private void CloseLane()
    {
        while (_deliveries.TryDequeue(out var delivery))
        {
            if (_readsStale)
            {
                _stale.Enqueue(delivery);
            }
        }

        _answers.Clear();
        _unprocessed.Clear();
        _read = 0;
    }

    private void ReadStale()
    {
        if (_stale.TryDequeue(out var delivery) && !_over.Contains(delivery.Route))
        {
            Receive(delivery.Event.Names.Target, delivery.Event);
        }
    }

    private void LoseSession(int argument)
    {
        _readsStale = argument % 2 == 0;
        Use(routes => routes.End([_lane], _now));
        _taken.Clear();

        // Of what the hub carried out, the client knows a beginning.
        var unknown = _unanswered.Skip(argument % (_unanswered.Count + 1)).Concat(_written).Where(
            static command => command.OnlyIn is null).ToList();
        _unanswered.Clear();
        _written.Clear();
        foreach (var command in unknown)
        {
            command.IsRepeated = true;
        }

        _queue.PutInFront(unknown);
        _session = new object();
        Use(routes => routes.Begin(_session, 5, HubLimits.Unknown));
    }

    private readonly record struct Mail(MailKind Kind, PendingCommand Command);
}
