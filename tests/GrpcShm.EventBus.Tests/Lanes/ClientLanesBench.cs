using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Tests.Client;
using GrpcShm.EventBus.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>
/// A client's lanes, with its queue and its machine "A". The test is the hub, of which there is only the stream of a
/// session, and the other process, which connects by pipes.
/// </summary>
internal sealed class ClientLanesBench : IDisposable
{
    private readonly CurrentSession _session = new();
    private readonly MessagingMetrics _metrics;
    private readonly HubCalls _hub = new();
    private readonly SessionEvents _events;
    private int _lastEvent;

    public ClientLanesBench(IMeterFactory meters, EventLaneTransport? transport = null, LaneTimes? times = null)
    {
        _metrics = new MessagingMetrics(meters, namesDestinations: false);
        var raised = new RaisedEvents(this, NullLogger.Instance);
        var instruments = new EventInstruments(_metrics, raised);
        var (receivers, waits) = (new ReceiverTable(), new ClientWaits(Queue, _session));
        var host = new ReceiverHost(new PayloadCodecs(new EventBusClientOptions()), 100, waits, instruments, raised);
        var subscriptions = new ClientSubscriptions(receivers, Queue, _session, host, 100);
        var reports = new SendReports(instruments, raised);
        var answers = new CommandAnswers(Queue, subscriptions, waits, reports, raised, new ClientEnd());
        Lanes = new ClientLanes(
            transport ?? Transport,
            times ?? new LaneTimes { AskAfterSends = 1, AcceptAgainAfter = 1 },
            Queue,
            _session,
            answers,
            receivers,
            _metrics,
            Log);
        _events = new SessionEvents(receivers, answers, raised, Lanes);
        Machine = new EventReceiver(
            host, new Subscription { Inbox = "A", Number = 1 }, new MachineOptions(), 100, received =>
            {
                Received.Enqueue(received.EventName);
                return Task.CompletedTask;
            });
        Assert.True(receivers.TryAddMachine(Machine));
        receivers.Add(Machine);
        Machine.Stand();
        Session = BeginSession();
    }

    public PipeLanes Transport { get; } = new();

    public LaneLog Log { get; } = new();

    public CommandQueue Queue { get; } = new(1_000, 5);

    public ClientLanes Lanes { get; }

    public EventReceiver Machine { get; }

    /// <summary>The names of the events that the machine "A" has handled.</summary>
    public ConcurrentQueue<string> Received { get; } = [];

    public SessionLink Session { get; }

    /// <summary>What the hub was told, without an answer of its own, in order.</summary>
    public IEnumerable<SessionCommand> Notes => _hub.Notes;

    /// <summary>Begins a session. Its notes are written if it is told to write.</summary>
    public SessionLink BeginSession()
    {
        var session = new SessionLink(new Contract.EventBusClient(_hub), Queue, _events);
        _session.Link = session;
        Lanes.Begin(session, new SessionOpened { OffersLanes = true });
        return session;
    }

    /// <summary>Introduces the client to another process: as the one that connects, if there is an address.</summary>
    public ClientLane? Introduce(ulong lane, string address = "", SessionLink? session = null)
    {
        var introduction = new LaneIntroduction { Lane = lane, Token = ByteString.CopyFromUtf8("1234567890123456") };
        introduction.Address = address;
        Lanes.Take(session ?? Session, [new LaneNotice { Introduction = introduction }]);
        return Lanes.Find(lane);
    }

    /// <summary>Lets the other process connect, and gives its end.</summary>
    public Task<EventLaneConnection> ConnectAsync(string address, ulong lane) =>
        ConnectAsync(Transport, address, lane);

    /// <summary>As the other one, by another transport.</summary>
    public async Task<EventLaneConnection> ConnectAsync(EventLaneTransport transport, string address, ulong lane)
    {
        var stood = Log.Stood;
        var connection = await transport.ConnectAsync(address, CancellationToken.None);
        await LanePeer.WriteAsync(connection, new LaneFrame
        {
            Hello = new LaneHello
            {
                Lane = lane, Token = ByteString.CopyFromUtf8("1234567890123456"), Version = LaneFrames.Version,
            },
        });
        await LanePeer.ReadAsync(connection, static frame => frame.Welcome is not null);
        await TimeLimit.UntilAsync(() => Log.Stood > stood);
        return connection;
    }

    public void Grant(ulong lane, uint route, bool isTarget, SessionLink? session = null)
    {
        var (source, target) = isTarget ? ("X", "A") : ("A", "X");
        Lanes.Take(session ?? Session, [new LaneNotice
        {
            Grant = new RouteGrant
            {
                Lane = lane, Route = route, Source = source, Target = target, IsTarget = isTarget, Sender = 77,
                MaxEventSize = 1_000,
            },
        }]);
    }

    /// <summary>Gives the machine "A" a route from another process's machine "X", which may send some events.</summary>
    public void OpenAsTarget(ulong lane, uint route, SessionLink? session = null)
    {
        // The hub has given the machine's room to the route.
        Machine.BeginIn(session ?? Session, new Subscription());
        Grant(lane, route, isTarget: true, session);
        TakeFence(route, returned: 10, session);
    }

    public void TakeFence(uint route, uint returned, SessionLink? session = null)
    {
        var fence = new IncomingDelivery { Subscription = 1, Number = 3, Fence = route, ReturnedCredit = returned };
        Lanes.TakeFence(session ?? Session, Machine, fence);
    }

    /// <summary>Gives the machine "A" a route to the other process's machine "X", with room for some events.</summary>
    public async Task OpenAsSourceAsync(EventLaneConnection connection, ulong lane, uint route)
    {
        Send();
        var request = TakeFromQueue().OfType<PendingMessage>().Single();
        Assert.Equal("X", request.Command.RequestRoute.Target);
        Grant(lane, route, isTarget: false);
        request.Answered!(null);
        var fence = TakeFromQueue().OfType<PendingMessage>().Single();
        Assert.Equal(route, fence.Command.Fence.Route);
        fence.Answered!(null);
        await LanePeer.WriteAsync(connection, new LaneFrame
        {
            Credits = { new Credit { Subscription = route, Deliveries = 10 } },
        });
    }

    /// <summary>Sends an event from "A" to "X".</summary>
    public PendingEvent Send(
        AcknowledgementLevel level = AcknowledgementLevel.Accepted, long deadline = 0)
    {
        var names = new EventNames("A", "X", LaneTest.Name(++_lastEvent));
        var @event = new PendingEvent(names, new EncodedSend([10, 0], 2, 2, default))
        {
            Level = level, Deadline = deadline,
        };
        Assert.Null(Queue.TryAdd(@event));
        return @event;
    }

    /// <summary>Takes what goes to the hub.</summary>
    public List<PendingCommand> TakeFromQueue()
    {
        var batch = new List<PendingCommand>();
        Queue.Take(batch, int.MaxValue, int.MaxValue);
        return batch;
    }

    public void Dispose()
    {
        Lanes.Dispose();
        _metrics.Dispose();
    }

    // The hub's side of sessions: takes all, and answers nothing.
    private sealed class HubCalls : SessionInvoker
    {
        public ConcurrentQueue<SessionCommand> Notes { get; } = [];

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => new(
                new Requests<TRequest>(Notes),
                new NoResponses<TResponse>(),
                Task.FromResult(new Metadata()),
                static () => throw new InvalidOperationException(),
                static () => [],
                static () => { });
    }

    private sealed class Requests<T>(ConcurrentQueue<SessionCommand> notes) : IClientStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(T message)
        {
            foreach (var command in ((OutgoingRequest)(object)message!).Commands)
            {
                if (command.Note is { } note)
                {
                    notes.Enqueue(note);
                }
            }

            return Task.CompletedTask;
        }

        public Task CompleteAsync() => Task.CompletedTask;
    }

    private sealed class NoResponses<T> : IAsyncStreamReader<T>
    {
        public T Current => throw new InvalidOperationException();

        public Task<bool> MoveNext(CancellationToken cancellationToken) =>
            new TaskCompletionSource<bool>().Task.WaitAsync(cancellationToken);
    }
}
