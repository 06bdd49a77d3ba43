using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>The state that all sessions and calls of one hub share.</summary>
internal sealed class HubCore
{
    // By the caller's identity, not by the instance's name alone: a session can only be replaced by a session of the
    // same user, and of the same process where the transport knows the process.
    private readonly ConcurrentDictionary<(string UserId, int ProcessId, string InstanceId), SessionLife> _sessions =
        new();
    private readonly ConcurrentDictionary<string, Subscriber> _subscribers = new(StringComparer.Ordinal);
    private readonly long _started = Environment.TickCount64;

    public HubCore(
        IOptions<EventBusOptions> options,
        IMeterFactory meterFactory,
        IHostApplicationLifetime lifetime,
        ILoggerFactory loggers)
    {
        Options = options.Value;
        Logger = new UnfailingLogger(loggers.CreateLogger(HubLog.Category));
        Stopping = lifetime.ApplicationStopping;
        Limits = new EventLimits(Options);
        Budget = new HubBudget(Options);
        var observers = new ObserverTable();
        Lanes = new HubLanes(Options, observers);
        Machines = new MachineRegistry(Options.UnclaimedCapacity, Options.MaxMailboxSize, Lanes);
        Access = AccessPolicy.Of(Options, Logger);
        Metrics = new EventBusMetrics(meterFactory, Machines, Lanes, Options.MeasureDestinations, Logger);
        Messaging = new MessagingMetrics(meterFactory, Options.MeasureDestinations);
        SessionEnds = new SessionEnds(Logger, Machines);
        lifetime.ApplicationStopped.Register(SessionEnds.WriteRest);
        Router = new EventRouter(Options, Limits, Machines, observers, Lanes, Metrics);
    }

    public static Verdict Stopped { get; } = new(StatusCode.Unavailable, "The hub is stopping.", "");

    public EventBusOptions Options { get; }

    public ILogger Logger { get; }

    /// <summary>Cancelled when the host begins to stop: streams that would never end by themselves end then.</summary>
    public CancellationToken Stopping { get; }

    public EventLimits Limits { get; }

    /// <summary>The policy; none if the options have none.</summary>
    public AccessPolicy? Access { get; }

    public HubBudget Budget { get; }

    public MachineRegistry Machines { get; }

    public HubLanes Lanes { get; }

    /// <summary>
    /// True if routes may be granted. A policy that was written without a thought of routes has not allowed any.
    /// </summary>
    public bool OffersLanes => Options.OffersLanes && (Access is null || Options.PolicyKnowsRoutes);

    /// <summary>The log of the sessions that have ended.</summary>
    public SessionEnds SessionEnds { get; }

    public EventBusMetrics Metrics { get; }

    /// <summary>The metrics of the hub's own machines.</summary>
    public MessagingMetrics Messaging { get; }

    public EventRouter Router { get; }

    /// <summary>Which machines wait for which.</summary>
    public HubWaits Waits { get; } = new();

    public TimeSpan Uptime => TimeSpan.FromMilliseconds(Environment.TickCount64 - _started);

    /// <summary>Says how the hub is.</summary>
    public GetHealthResponse DescribeHealth() => new()
    {
        Status = Stopping.IsCancellationRequested ? HubStatus.Stopping : HubStatus.Serving,
        UptimeMilliseconds = (ulong)Uptime.TotalMilliseconds,
        Sessions = (uint)Metrics.Sessions,
        Machines = (uint)Machines.Count,
        Subscriptions = (uint)Metrics.Subscriptions,
        EventsAccepted = (ulong)Metrics.EventsAccepted,
        EventsDropped = (ulong)Metrics.EventsDropped,
    };

    /// <summary>Makes the gate that asks the policy about a caller; none if everybody may do all.</summary>
    public AccessGate? GateFor(HttpContext context, PeerIdentity peer, MachineOwner? owner = null) =>
        Access is null ? null : new AccessGate(Access, Limits, Machines, context, peer, owner);

    /// <summary>How many sessions are known by their processes' ids.</summary>
    public int KnownSessions => _sessions.Count;

    /// <summary>Makes a session known by its process's id, and ends the one that it replaces.</summary>
    /// <returns><see langword="false"/> if it has ended already. Then it is not known, and replaces none.</returns>
    /// <remarks>
    /// The session may end at any moment on another thread, which first notes the end and then removes the session.
    /// Here it is added first, and its end is looked for second. One of the two threads sees what the other one did,
    /// and removes it.
    /// </remarks>
    public bool AddSession(SessionLife session, MachineOwner owner)
    {
        if (session.HasEnded)
        {
            return false;
        }

        if (owner.InstanceId.Length == 0)
        {
            return true;
        }

        SessionLife? replaced = null;
        _sessions.AddOrUpdate(KeyOf(owner), session, (_, existing) =>
        {
            replaced = existing;
            return session;
        });
        replaced?.End(
            new Verdict(StatusCode.Aborted, "The session was replaced by a newer one of the same process.", ""));
        if (!session.HasEnded)
        {
            return true;
        }

        RemoveSession(session, owner);
        return false;
    }

    public void RemoveSession(SessionLife session, MachineOwner owner) =>
        _sessions.TryRemove(new(KeyOf(owner), session));

    public void AddSubscriber(string subscriptionId, Subscriber subscriber) =>
        _subscribers[subscriptionId] = subscriber;

    public void RemoveSubscriber(string subscriptionId) => _subscribers.TryRemove(subscriptionId, out _);

    public bool TryGetSubscriber(string subscriptionId, out Subscriber? subscriber) =>
        _subscribers.TryGetValue(subscriptionId, out subscriber);

    private static (string UserId, int ProcessId, string InstanceId) KeyOf(MachineOwner owner) =>
        (owner.Peer.UserId, owner.Peer.ProcessId, owner.InstanceId);
}
