using System.Diagnostics.Metrics;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Lanes;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>
/// What a client does when lanes, sessions and notices of the hub end and begin at one moment. Each test puts two
/// threads into the order that it is about.
/// </summary>
public sealed class ClientLanesTests : IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly ClientLanesBench _bench;
    private EventLaneListener _other = null!;
    private string _address = "";
    private bool _throws;

    public ClientLanesTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters)
                && instrument.Name is "grpcshm.eventbus.lane.messages" or "messaging.client.sent.messages")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            if (_throws)
            {
                throw new InvalidOperationException("A listener's own.");
            }
        });
        _listener.Start();
        _bench = new ClientLanesBench(meters);
    }

    public async ValueTask InitializeAsync()
    {
        _other = await _bench.Transport.ListenAsync(CancellationToken.None);
        var opening = new OpenSession();
        await _bench.Lanes.AnnounceAsync(opening, CancellationToken.None);
        _address = opening.LaneAddress;
    }

    public async ValueTask DisposeAsync()
    {
        await _bench.Lanes.StopListeningAsync();
        await _other.DisposeAsync();
        _bench.Dispose();
        _listener.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task End_AnotherThreadEndsALaneOfTheSession_ItsEventsAreBackBeforeTheNextSend()
    {
        var lane = _bench.Introduce(1)!;
        var connection = await _bench.ConnectAsync(_address, 1);
        await _bench.OpenAsSourceAsync(connection, 1, route: 7);
        PendingEvent[] sent = [_bench.Send(), _bench.Send()];
        await ReadAsync(connection, 2);

        var (ending, next) = WhileAnotherEnds(lane, () =>
        {
            _bench.Lanes.End(_bench.Session);
            return _bench.Send();
        });
        await ending.InTime();

        Assert.Equal([.. sent, next], _bench.TakeFromQueue());
        Assert.True(sent[0].IsRepeated);
    }

    [Fact]
    public async Task End_AnotherThreadEndsALaneOfTheSession_NothingMoreIsTakenFromIt()
    {
        var lane = _bench.Introduce(1)!;
        var connection = await _bench.ConnectAsync(_address, 1);
        _bench.OpenAsTarget(1, route: 7);
        await WriteEventAsync(connection, 1);
        await TimeLimit.UntilAsync(() => _bench.Received.Count == 1);

        var (ending, isClosed) = WhileAnotherEnds(lane, () =>
        {
            // From here on the next session may begin, and an observer be promised to see all.
            _bench.Lanes.End(_bench.Session);
            return lane.Link!.HasEnded;
        });
        await ending.InTime();

        Assert.True(isClosed);
        Assert.Null(_bench.Lanes.Find(1));
        Assert.Equal(["1"], _bench.Received);
    }

    [Fact]
    public async Task Take_AGrantForTheSourceOfALaneThatEnds_IsGivenUp()
    {
        _bench.Session.StartWriting();
        var lane = _bench.Introduce(1)!;
        await _bench.ConnectAsync(_address, 1);
        _bench.Send();

        // The thread that ends the lane has come so far, and no farther.
        lane.TryEnd();
        _bench.Grant(1, route: 7, isTarget: false);

        await TimeLimit.UntilAsync(() => Closed().SequenceEqual([7u]));
        Assert.Equal(0, CountRoutes());
    }

    [Fact]
    public async Task Take_AGrantForTheTargetOfALaneThatEnds_IsGivenUpAndItsNumberIsFree()
    {
        _bench.Session.StartWriting();
        var lane = _bench.Introduce(1)!;
        await _bench.ConnectAsync(_address, 1);

        lane.TryEnd();
        _bench.Grant(1, route: 7, isTarget: true);
        await TimeLimit.UntilAsync(() => Closed().SequenceEqual([7u]));
        _bench.Introduce(2);
        var connection = await _bench.ConnectAsync(_address, 2);
        _bench.OpenAsTarget(2, route: 7);
        await WriteEventAsync(connection, 1);

        await TimeLimit.UntilAsync(() => _bench.Received.Count == 1);
    }

    [Fact]
    public void Take_AnIntroductionOfASessionThatHasEnded_IsNotTaken()
    {
        _bench.Session.End(new IOException("It is gone."));
        _bench.Lanes.End(_bench.Session);

        Assert.Null(_bench.Introduce(1, _other.Address));
        Assert.Null(_bench.Introduce(2));
    }

    [Fact]
    public void Take_AGrantOfASessionThatHasEnded_IsNotTaken()
    {
        var ended = _bench.Session;
        _bench.Introduce(1);
        ended.End(new IOException("It is gone."));
        _bench.Lanes.End(ended);
        var next = _bench.BeginSession();
        _bench.Introduce(1, session: next);
        _bench.Send();

        _bench.Grant(1, route: 7, isTarget: false, session: ended);
        _bench.Grant(1, route: 8, isTarget: true, session: ended);

        Assert.Equal(0, CountRoutes());
        next.StartWriting();
        _bench.Grant(1, route: 8, isTarget: true, session: next);
        next.Note(new SessionCommand { CloseRoute = new RouteClosed { Route = 99 } });
        Assert.Equal([99u], Closed());
    }

    [Fact]
    public async Task Run_AListenerToTheMetricsThrows_TheRestIsDone()
    {
        _bench.Introduce(1);
        var connection = await _bench.ConnectAsync(_address, 1);
        await _bench.OpenAsSourceAsync(connection, 1, route: 7);
        PendingEvent[] sent = [_bench.Send(), _bench.Send()];
        await ReadAsync(connection, 2);
        _throws = true;
        using var never = new CancellationTokenSource();
        var leaving = _bench.Lanes.LeaveAsync(_bench.Session, never.Token);
        Assert.False(leaving.IsCompleted);

        await LanePeer.WriteAsync(connection, new LaneFrame { AcceptedThrough = 2 });

        // The last thing to be done is to say that no route is left.
        await leaving.InTime();
        await Task.WhenAll(sent.Select(static send => send.Task)).InTime();
        Assert.Equal(0, _bench.Log.Ended);
    }

    [Fact]
    public async Task Connect_GreetingsBreakNowAndThen_TheHubMayMakeALaneAgain()
    {
        _bench.Session.StartWriting();
        for (ulong lane = 1; lane <= 40; lane += 2)
        {
            _bench.Introduce(lane, _other.Address);
            await BreakAsync(await AcceptAsync());
            await TimeLimit.UntilAsync(() => Failures().Exists(failure => failure.Lane == lane));

            _bench.Introduce(lane + 1, _other.Address);
            await WelcomeAsync(await AcceptAsync());
        }

        Assert.All(Failures(), static failure => Assert.True(failure.HadStood));
        Assert.Equal(20, Failures().Count);
    }

    [Fact]
    public async Task Connect_GreetingsBreakAgainAndAgain_TheHubMakesNoFurtherLane()
    {
        _bench.Session.StartWriting();
        for (ulong lane = 1; lane <= 9; lane++)
        {
            _bench.Introduce(lane, _other.Address);
            await BreakAsync(await AcceptAsync());
            await TimeLimit.UntilAsync(() => Failures().Exists(failure => failure.Lane == lane));
        }

        Assert.Equal(
            [.. Enumerable.Repeat(true, 8), false],
            Failures().OrderBy(static failure => failure.Lane).Select(static failure => failure.HadStood));
    }

    [Fact]
    public async Task Connect_NobodyListens_TheHubMakesNoFurtherLane()
    {
        _bench.Session.StartWriting();

        _bench.Introduce(1, "pipe-nowhere");

        await TimeLimit.UntilAsync(() => Failures() is [{ Lane: 1, HadStood: false }]);
    }

    // Another thread has won the end of a lane, and waits for the lock of the queue, while something happens here.
    private (Task Ending, T Result) WhileAnotherEnds<T>(ClientLane lane, Func<T> happens)
    {
        var ending = Task.CompletedTask;
        T result = default!;
        _bench.Queue.Use(0, (_, _) =>
        {
            ending = Task.Run(() => ((ILaneEvents)_bench.Lanes).End(lane, "It is gone."));
            Assert.True(SpinWait.SpinUntil(() => lane.IsOver, TimeLimit.Value));

            // This thread has the lock already.
            result = happens();
        });
        return (ending, result);
    }

    private List<uint> Closed() =>
        [.. _bench.Notes.Select(static note => note.CloseRoute?.Route).OfType<uint>()];

    private List<LaneFailure> Failures() =>
        [.. _bench.Notes.Select(static note => note.LaneFailed).OfType<LaneFailure>()];

    private int CountRoutes()
    {
        var count = -1;
        _bench.Queue.Use(0, (routes, _) => count = routes.Count);
        return count;
    }

    private async Task<EventLaneConnection> AcceptAsync() =>
        (await _other.AcceptAsync(CancellationToken.None).AsTask().InTime())!;

    // Not before the hello: what was written would be lost for the one who has not read it.
    private static async Task BreakAsync(EventLaneConnection connection)
    {
        await LanePeer.ReadAsync(connection, static frame => frame.Hello is not null);
        await connection.DisposeAsync();
    }

    private async Task WelcomeAsync(EventLaneConnection connection)
    {
        var stood = _bench.Log.Stood;
        await LanePeer.ReadAsync(connection, static frame => frame.Hello is not null);
        await LanePeer.WriteAsync(
            connection, new LaneFrame { Welcome = new LaneWelcome { Version = LaneFrames.Version } });
        await TimeLimit.UntilAsync(() => _bench.Log.Stood > stood);
    }

    private static async Task ReadAsync(EventLaneConnection connection, int events)
    {
        var read = 0;
        await LanePeer.ReadAsync(connection, frame => (read += frame.Deliveries.Count) >= events);
    }

    private static Task WriteEventAsync(EventLaneConnection connection, ulong number) =>
        LanePeer.WriteAsync(connection, new LaneFrame
        {
            Deliveries =
            {
                new Delivery
                {
                    Subscription = 7,
                    Number = number,
                    Acknowledgement = AcknowledgementLevel.Accepted,
                    Event = new Event
                    {
                        Name = LaneTest.Name((int)number), Source = "X", Target = "A", Sender = 77, Sequence = number,
                    },
                },
            },
        });

    [Fact]
    public async Task Find_AnotherThreadIsLateWithALaneOfAHubThatIsGone_TheNewLaneOfTheNumberStays()
    {
        var old = _bench.Introduce(1)!;
        await _bench.ConnectAsync(_address, 1);
        _bench.OpenAsTarget(1, route: 7);
        SessionLink? next = null;

        var (ending, lane) = WhileAnotherEnds(old, () =>
        {
            _bench.Session.End(new IOException("The hub is gone."));
            _bench.Lanes.End(_bench.Session);
            next = _bench.BeginSession();
            var lane = _bench.Introduce(1, session: next);
            _bench.OpenAsTarget(1, route: 7, next);
            return lane;
        });
        await ending.InTime();

        Assert.NotNull(lane);
        Assert.Same(lane, _bench.Lanes.Find(1));
        var connection = await _bench.ConnectAsync(_address, 1);
        await WriteEventAsync(connection, 1);
        await TimeLimit.UntilAsync(() => _bench.Received.Count == 1);
    }

    [Fact]
    public async Task TakeFence_ASecondOneOfARoute_GivesItNoFurtherRoom()
    {
        _bench.Session.StartWriting();
        _bench.Introduce(1);
        await _bench.ConnectAsync(_address, 1);
        _bench.OpenAsTarget(1, route: 7);
        Assert.Empty(Closed());

        _bench.TakeFence(7, returned: 10);

        await TimeLimit.UntilAsync(() => Closed().SequenceEqual([7u]));
        await TimeLimit.UntilAsync(() => _bench.Notes.Any(static note => note.Grant is { Deliveries: 10 }));
    }

    [Fact]
    public async Task Send_TheLaneBreaksBeforeItsTimeIsOver_FailsWhenItIsOver()
    {
        var lane = _bench.Introduce(1)!;
        var connection = await _bench.ConnectAsync(_address, 1);
        await _bench.OpenAsSourceAsync(connection, 1, route: 7);
        var sent = _bench.Send(AcknowledgementLevel.Processed, Environment.TickCount64 + 500);
        await ReadAsync(connection, 1);

        ((ILaneEvents)_bench.Lanes).End(lane, "It is gone.");
        Assert.Same(sent, Assert.Single(_bench.TakeFromQueue()));

        var failure = await Assert.ThrowsAsync<EventBusException>(() => sent.Task.InTime());
        Assert.Equal(Grpc.Core.StatusCode.DeadlineExceeded, failure.StatusCode);
    }
}
