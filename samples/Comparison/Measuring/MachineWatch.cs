using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Watches the other work of the machine.</summary>
internal sealed class MachineWatch
{
    private const string StatisticsFile = "/proc/stat";
    private const double TicksPerSecond = 100;

    private readonly IReadOnlyList<Session> _sessions;
    private readonly UsageMeter _meter;
    private long _started;
    private TimeSpan? _busy;
    private TimeSpan _own;

    private MachineWatch(IReadOnlyList<Session> sessions, UsageMeter meter) => (_sessions, _meter) = (sessions, meter);

    public static async Task<MachineWatch> StartAsync(IReadOnlyList<Session> sessions, UsageMeter meter)
    {
        var watch = new MachineWatch(sessions, meter);
        (watch._started, watch._busy) = (Stopwatch.GetTimestamp(), ReadBusy());
        watch._own = await watch.ReadOwnAsync();
        return watch;
    }

    /// <summary>The processor time of other processes since the start, in percent of one processor.</summary>
    public async Task<double?> ReadOthersCpuPercentAsync()
    {
        // The clock is read beside the machine's figures, both times. To ask the servers for theirs takes a while.
        var (now, busy) = (Stopwatch.GetTimestamp(), ReadBusy());
        var others = busy - _busy - (await ReadOwnAsync() - _own);
        return others is null ? null : Math.Max(0, 100 * others.Value / Stopwatch.GetElapsedTime(_started, now));
    }

    // This counts programs with their system calls, and the time that the host of a virtual machine took. It does not
    // count interrupts, since their cause is unknown, and the peers of the floor, which run for some milliseconds in
    // each scenario.
    private static TimeSpan? ReadBusy()
    {
        if (!File.Exists(StatisticsFile))
        {
            return null;
        }

        // cpu  user nice system idle iowait irq softirq steal …
        double[] ticks =
        [
            .. File.ReadLines(StatisticsFile).First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
                .Select(text => double.Parse(text, CultureInfo.InvariantCulture)),
        ];
        return TimeSpan.FromSeconds((ticks[0] + ticks[1] + ticks[2] + ticks[7]) / TicksPerSecond);
    }

    private async Task<TimeSpan> ReadOwnAsync()
    {
        var own = _meter.Read().Cpu;
        foreach (var session in _sessions)
        {
            own += await session.ReadOtherCpuAsync();
        }

        return own;
    }
}
