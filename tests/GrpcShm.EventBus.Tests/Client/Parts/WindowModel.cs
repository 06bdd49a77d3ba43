using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>What happens around the window of a receiver.</summary>
public enum WindowStep
{
    HubWrites,
    HubReads,
    HubFences,
    ClientReads,
    LaneWrites,
    LaneReads,
    Handle,
    RouteEnds,
}

/// <summary>A receiver's window with a hub and routes around it, and all that is on its way between them.</summary>
internal sealed class WindowModel
{
    private readonly int _size;
    private readonly ReceiverWindow _window;
    private readonly SessionLink _session = NewSession();

    // The hub: its credit, what it has written, and what it has not read.
    private readonly Queue<(Lane? Fenced, uint Returned)> _toClient = new();
    private readonly Queue<uint> _toHub = new();
    private readonly Lane[] _lanes = [new(1), new(2), new(3), new(4)];
    private readonly Queue<TargetRoute?> _unhandled = new();
    private long _credit;

    public WindowModel(int size)
    {
        (_size, _window) = (size, new ReceiverWindow(size));
        var command = new Subscription();
        _window.BeginIn(_session, command);
        _credit = command.Credit;
    }

    /// <summary>Makes a session that nobody answers.</summary>
    public static SessionLink NewSession() =>
        new(new Contract.EventBusClient(new SilentInvoker()), new CommandQueue(1, 1), null!);

    public void Run(WindowStep step, int lane)
    {
        switch (step)
        {
            case WindowStep.HubWrites when _credit > 0:
                _credit--;
                _toClient.Enqueue((null, 0));
                break;
            case WindowStep.HubFences when _credit > 0 && !_lanes[lane].IsFenced:
                var returned = (uint)((_credit + 1) / 2);
                _credit -= returned;
                _lanes[lane].IsFenced = true;
                _toClient.Enqueue((_lanes[lane], returned));
                break;
            case WindowStep.HubReads when _toHub.TryDequeue(out var granted):
                _credit += granted;
                break;
            case WindowStep.ClientReads when _toClient.TryDequeue(out var item):
                Read(item.Fenced, item.Returned);
                break;
            case WindowStep.LaneWrites when _lanes[lane].Credit > 0:
                _lanes[lane].Credit--;
                _lanes[lane].OnItsWay++;
                break;
            case WindowStep.LaneReads when _lanes[lane].OnItsWay > 0:
                _lanes[lane].OnItsWay--;
                if (!_lanes[lane].Route.IsOver)
                {
                    Assert.True(ReceiverWindow.TryTakeRoom(_lanes[lane].Route));
                    _unhandled.Enqueue(_lanes[lane].Route);
                }

                break;
            case WindowStep.Handle when _unhandled.TryDequeue(out var route):
                Tell(_window.GiveRoom(1, route));
                break;
            case WindowStep.RouteEnds when _lanes[lane] is { HasBegun: true, Route.IsOver: false }:
                End(_lanes[lane]);
                break;
        }
    }

    /// <summary>What may come, and what has come, has room.</summary>
    public void CheckBounds()
    {
        var fromHub = _credit + _toHub.Sum(static granted => granted)
            + _toClient.Sum(static item => item.Fenced is null ? 1 : item.Returned);
        var fromLanes = _lanes.Where(static lane => !lane.Route.IsOver).Sum(static lane => lane.Credit + lane.OnItsWay);
        Assert.True(fromHub + fromLanes + _unhandled.Count <= _size);
    }

    /// <summary>All that is on its way comes, and is handled. Nothing new is sent.</summary>
    public void ComeToRest()
    {
        while (_toClient.Count + _toHub.Count + _unhandled.Count + _lanes.Sum(static lane => lane.OnItsWay) > 0)
        {
            Run(WindowStep.ClientReads, 0);
            Run(WindowStep.HubReads, 0);
            Run(WindowStep.Handle, 0);
            for (var lane = 0; lane < _lanes.Length; lane++)
            {
                Run(WindowStep.LaneReads, lane);
            }
        }
    }

    public void CheckNobodyStarves()
    {
        Assert.True(_credit > 0);
        var routes = _lanes.Where(static lane => lane is { HasBegun: true, Route.IsOver: false }).ToArray();
        Assert.All(routes, static lane => Assert.True(lane.Credit > 0));
        Assert.True(routes.Sum(static lane => lane.Route.Share + lane.Route.Owed) <= _size / 2);
    }

    public void EndRoutes()
    {
        foreach (var lane in _lanes.Where(static lane => lane is { HasBegun: true, Route.IsOver: false }))
        {
            End(lane);
        }

        ComeToRest();
    }

    /// <summary>Less than half of the window is kept back, to be granted together.</summary>
    public void CheckAllIsTheHubs() => Assert.True(2 * _credit >= _size);

    private void Read(Lane? fenced, uint returned)
    {
        if (fenced is null)
        {
            _window.TakeRoom(_session);
            _unhandled.Enqueue(null);
            return;
        }

        var begun = _window.Add(fenced.Route, returned);
        fenced.HasBegun = begun is not null;
        fenced.Credit += begun?.Room ?? 0;
        var left = returned - (uint)(begun?.OfTheHub ?? 0);
        if (left > 0)
        {
            _toHub.Enqueue(left);
        }
    }

    private void End(Lane lane)
    {
        lane.Route.IsOver = true;
        Tell(_window.Remove(lane.Route, 1));
    }

    private void Tell(RoomGrant grant)
    {
        if (grant.Credit is { } credit)
        {
            _toHub.Enqueue(credit.Deliveries);
        }

        if (grant.RouteCredit is { } room)
        {
            _lanes[grant.Route!.Number - 1].Credit += (int)room.Deliveries;
        }
    }

    private sealed class Lane(uint number)
    {
        public TargetRoute Route { get; } = new(new RouteGrant { Route = number }, null!, null!);

        public bool IsFenced { get; set; }

        public bool HasBegun { get; set; }

        public int Credit { get; set; }

        public int OnItsWay { get; set; }
    }

    // A session that nobody answers.
    private sealed class SilentInvoker : SessionInvoker
    {
        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => new(
                null!,
                null!,
                Task.FromResult(Metadata.Empty),
                static () => Status.DefaultSuccess,
                static () => Metadata.Empty,
                static () => { });
    }
}
