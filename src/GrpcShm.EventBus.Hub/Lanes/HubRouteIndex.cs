using System.Diagnostics.CodeAnalysis;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Lanes;

/// <summary>The routes by number, by pair, and by machine. The lane table's lock guards it.</summary>
internal sealed class HubRouteIndex
{
    private readonly Dictionary<uint, HubRoute> _byNumber = [];
    private readonly Dictionary<string, HashSet<HubRoute>> _byMachine = new(StringComparer.Ordinal);
    private readonly HashSet<(MachineEntry Source, MachineEntry Target)> _granted = [];
    private int _count;
    private int _grantedCount;

    /// <summary>How many there are. Any thread may ask.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many of them are not withdrawn. Any thread may ask.</summary>
    public int Granted => Volatile.Read(ref _grantedCount);

    public bool TryGet(uint number, [NotNullWhen(true)] out HubRoute? route) =>
        _byNumber.TryGetValue(number, out route);

    /// <summary>True if there is a route for this pair that is not withdrawn.</summary>
    public bool HasGranted(MachineEntry source, MachineEntry target) => _granted.Contains((source, target));

    /// <summary>The routes whose source or target has this id.</summary>
    public IReadOnlyCollection<HubRoute> Of(string machineId) =>
        _byMachine.TryGetValue(machineId, out var routes) ? routes : [];

    /// <summary>The routes that a filter may match. Not all of them do.</summary>
    public IReadOnlyCollection<HubRoute> For(EventFilter filter) =>
        filter.Machine is { } machine ? Of(machine) : _byNumber.Values;

    public void Add(HubRoute route)
    {
        _byNumber.Add(route.Number, route);
        _granted.Add((route.Source, route.Target));
        Add(route.Source.Id, route);
        Add(route.Target.Id, route);
        CountAnew();
    }

    public void NoteWithdrawn(HubRoute route)
    {
        _granted.Remove((route.Source, route.Target));
        CountAnew();
    }

    public void Remove(HubRoute route)
    {
        _byNumber.Remove(route.Number);
        Remove(route.Source.Id, route);
        Remove(route.Target.Id, route);
        CountAnew();
    }

    private void Add(string machineId, HubRoute route)
    {
        if (!_byMachine.TryGetValue(machineId, out var routes))
        {
            _byMachine.Add(machineId, routes = []);
        }

        routes.Add(route);
    }

    private void Remove(string machineId, HubRoute route)
    {
        if (_byMachine.TryGetValue(machineId, out var routes))
        {
            routes.Remove(route);
            if (routes.Count == 0)
            {
                _byMachine.Remove(machineId);
            }
        }
    }

    private void CountAnew()
    {
        Volatile.Write(ref _count, _byNumber.Count);
        Volatile.Write(ref _grantedCount, _granted.Count);
    }
}
