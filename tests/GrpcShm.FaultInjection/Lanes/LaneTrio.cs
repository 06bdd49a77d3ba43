using System.Diagnostics;
using GrpcShm.FaultInjection.Reporting;
using GrpcShm.FaultInjection.Survivors;

namespace GrpcShm.FaultInjection.Lanes;

/// <summary>A hub, a source and a target, of which each may be replaced, in a directory of their own.</summary>
internal sealed class LaneTrio : IAsyncDisposable
{
    private const string Address = "shm:hub";
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RestTime = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("grpcshm-");
    private readonly Dictionary<LaneMember, LaneProcess> _members = [];

    // What each process may have at rest: without events, so without a lane.
    private readonly Dictionary<int, Footprint> _atRest = [];
    private readonly Breakage _breakage;

    private LaneTrio(Breakage breakage) => _breakage = breakage;

    public LaneProcess this[LaneMember member] => _members[member];

    public static async Task<LaneTrio> StartAsync(Breakage breakage)
    {
        var trio = new LaneTrio(breakage);
        try
        {
            foreach (var member in new[] { LaneMember.Hub, LaneMember.Target, LaneMember.Source })
            {
                trio._members[member] = await trio.StartAsync(member);
            }

            return trio;
        }
        catch
        {
            await trio.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the successor of a process that is dead.</summary>
    public async Task ReplaceAsync(LaneMember member)
    {
        await _members[member].DisposeAsync();
        _members[member] = await StartAsync(member);
    }

    /// <summary>Waits until there is no lane.</summary>
    /// <exception cref="TimeoutException">There is still one, though nobody has used it for long.</exception>
    public async Task RestAsync()
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await _members[LaneMember.Hub].AskAsync("lanes") is var lanes and not "0")
        {
            if (clock.Elapsed > RestTime)
            {
                throw new TimeoutException($"There are {lanes} lanes that nobody uses.");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Waits until no process has more than it had at rest before. The first time is the measure.</summary>
    /// <returns>What each process has that has more.</returns>
    public async Task<IReadOnlyList<(LaneMember Member, Footprint Leaked)>> SettleAsync()
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var now = Look();
        while (clock.Elapsed < SettleTime && now.Exists(one => one.IsLarger))
        {
            await timer.WaitForNextTickAsync();
            now = Look();
        }

        foreach (var (_, process, footprint, _, _) in now)
        {
            _atRest[process] = footprint;
        }

        return [.. now.Where(one => one.IsLarger).Select(one => (one.Member, one.Leaked))];
    }

    /// <summary>The files that the processes have left behind.</summary>
    public IEnumerable<FileInfo> Files() => _directory.EnumerateFiles("*", SearchOption.AllDirectories);

    public async ValueTask DisposeAsync()
    {
        // The hub last: the others take their leave.
        foreach (var member in Enum.GetValues<LaneMember>().Where(_members.ContainsKey))
        {
            await _members[member].DisposeAsync();
        }
    }

    /// <summary>Removes the directory.</summary>
    public void Forget() => _directory.Delete(recursive: true);

    private List<(LaneMember Member, int Process, Footprint Now, Footprint Leaked, bool IsLarger)> Look() =>
    [
        .. from member in _members
           let now = Footprint.Of(member.Value.Id)
           let leaked = now.Beyond(_atRest.GetValueOrDefault(member.Value.Id, now))
           select (member.Key, member.Value.Id, now, leaked, !leaked.IsEmpty),
    ];

    private async Task<LaneProcess> StartAsync(LaneMember member) => member switch
    {
        LaneMember.Hub => await LaneProcess.StartAsync(_directory.FullName, "hub", Address),
        LaneMember.Source => await LaneProcess.StartAsync(_directory.FullName, "lane-fault-source", Address),
        _ => await LaneProcess.StartAsync(
            _directory.FullName, "lane-fault-target", Address, _breakage == Breakage.Status ? "loses" : "counts"),
    };
}
