using System.Globalization;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>A thread's clock of processor time, and its state in <c>/proc/self/task</c>.</summary>
internal sealed class LinuxThreadWatch : ThreadWatch
{
    private readonly string _statePath;
    private readonly int _clock;
    private long _noted;

    /// <summary>Watches the calling thread.</summary>
    public LinuxThreadWatch()
    {
        var thread = Kernel.CurrentThreadId();
        _statePath = string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{thread}/stat");

        // The kernel's numbers for the clocks of other threads; see posix-timers_types.h, CPUCLOCK_PERTHREAD |
        // CPUCLOCK_SCHED.
        _clock = (~thread << 3) | 4 | 2;
    }

    public override bool IsKeptFromProcessor(TimeSpan elapsed)
    {
        var before = _noted;
        Note();
        return (_noted - before) * 2 < elapsed.TotalNanoseconds && IsRunnable();
    }

    public override void Note() => _noted = Libc.GetClock(_clock);

    private bool IsRunnable()
    {
        try
        {
            // The state stands behind the name, which is in parentheses and may contain anything, even parentheses.
            var text = File.ReadAllText(_statePath);
            var end = text.LastIndexOf(')');
            return end >= 0 && end + 2 < text.Length && text[end + 2] == 'R';
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // There is no /proc, or no descriptor is left to read it: then nothing is known.
            return false;
        }
    }
}
