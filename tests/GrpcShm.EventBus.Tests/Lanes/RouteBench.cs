using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>The routes of a client, with nothing around them: the test is the hub and the other process.</summary>
internal sealed class RouteBench
{
    private readonly CommandQueue _queue = new(int.MaxValue, 5);
    private readonly List<PendingMessage> _written = [];
    private int _lastEvent;

    public RouteBench()
    {
        _queue.UseRoutes((hub, front) => new RouteTable(hub, front, Times, static _ => true)
        {
            Clock = () => Now,
            RequestAnswered = (route, outcome) => Use(r => r.NoteRequest(route, outcome, Now)),
            FenceAnswered = (route, outcome) => Use(r => r.NoteFence(route, outcome is null, Now)),
        }, Run);
        Use(routes => routes.Begin(Session, 5, new HubLimits(new SessionOpened { MaxIdLength = 10 })));
        Use(routes => routes.NoteReady(Lane, Now));
    }

    public LaneTimes Times { get; } = new() { AskAfterSends = 2 };

    public LaneOutbox Lane { get; } = new(1);

    public object Session { get; } = new();

    public long Now { get; set; } = 1_000;

    /// <summary>The lanes that were given up.</summary>
    public List<LaneOutbox> Broken { get; } = [];

    /// <summary>The lanes that take leave, since nobody uses them.</summary>
    public List<LaneOutbox> Idle { get; } = [];

    /// <summary>The routes that the hub was told of that they have ended.</summary>
    public List<uint> Closed { get; } = [];

    /// <summary>The session whose hub the last notes were for.</summary>
    public object? Told { get; private set; }

    /// <summary>The outcomes of events.</summary>
    public List<Outcome?> Outcomes { get; } = [];

    public void Use(Action<RouteTable> use)
    {
        if (_queue.Use(use, static (routes, use) => use(routes)) is { } effects)
        {
            Run(effects);
        }
    }

    public PendingEvent Send(
        string source,
        string target,
        AcknowledgementLevel level = AcknowledgementLevel.Accepted,
        HandlerWait? waiting = null)
    {
        var names = new EventNames(source, target, LaneTest.Name(++_lastEvent));
        var @event = new PendingEvent(names, new EncodedSend([1], 1, 1, default)) { Level = level, Waiting = waiting };
        Assert.Null(_queue.TryAdd(@event));
        return @event;
    }

    /// <summary>Publishes to all machines.</summary>
    public PendingEvent Publish(string source)
    {
        var names = new EventNames(source, "", LaneTest.Name(++_lastEvent));
        var @event = new PendingEvent(names, new EncodedSend([1], 1, 1, default))
        {
            Publication = new Publication { All = new AllMachines() },
        };
        Assert.Null(_queue.TryAdd(@event));
        return @event;
    }

    /// <summary>Sends until the hub is asked for a route.</summary>
    public void SendUntilAsked(string source, string target) => Assert.True(IsAskedAfterSends(source, target));

    /// <summary>Sends as many events as it takes, and says whether the hub is asked for a route.</summary>
    public bool IsAskedAfterSends(string source, string target)
    {
        for (var i = 0; i < Times.AskAfterSends; i++)
        {
            Send(source, target);
        }

        Write();
        return _written.Exists(static message => message.Command.RequestRoute is not null);
    }

    /// <summary>Answers all requests and fences that were written.</summary>
    public void Answer(Outcome? outcome)
    {
        PendingMessage[] written = [.. _written];
        _written.Clear();
        foreach (var message in written)
        {
            message.Answered?.Invoke(outcome);
        }
    }

    /// <summary>Takes what goes to the hub, in order.</summary>
    public List<PendingCommand> Write()
    {
        var batch = new List<PendingCommand>();
        _queue.Take(batch, int.MaxValue, int.MaxValue);
        _written.AddRange(batch.OfType<PendingMessage>());
        return batch;
    }

    /// <summary>Lets a pair have a route that is open.</summary>
    public void Open(string source, string target, uint route, uint credit)
    {
        SendUntilAsked(source, target);
        Grant(source, target, route);
        Answer(null);
        Write();
        Answer(null);
        Use(routes => Assert.True(routes.TryAddCredit(Lane, route, credit, Now)));
    }

    public bool Grant(string source, string target, uint route, object? session = null)
    {
        var grant = new RouteGrant
        {
            Route = route, Source = source, Target = target, Sender = 77, MaxEventSize = 1_000,
        };
        var isTaken = false;
        Use(routes => isTaken = routes.TryGrant(grant, Lane, session ?? Session, Now));
        return isTaken;
    }

    /// <summary>Writes to the lane what is on it.</summary>
    public List<LaneSend> WriteLane()
    {
        var batch = new List<LaneSend>();
        Use(_ => Lane.Take(batch, int.MaxValue, int.MaxValue, mayBeLarge: true));
        return batch;
    }

    private void Run(RouteEffects effects)
    {
        Broken.AddRange(effects.Broken);
        Idle.AddRange(effects.Idle);
        Closed.AddRange(effects.Notes.Select(static note => note.CloseRoute).OfType<RouteClosed>().Select(
            static closed => closed.Route));
        Told = effects.Notes.Count > 0 ? effects.Session : Told;
        Outcomes.AddRange(effects.Answered.Select(static answered => answered.Outcome));
        effects.Clear();
        _queue.GiveBack(effects);
    }
}
