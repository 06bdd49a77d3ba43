using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Xunit.v3;

namespace GrpcShm.Testing;

/// <summary>
/// Ends a test program that hangs, and says which tests it hangs in. Each test assembly has it. Without it, a wait that
/// has no bound shows itself only when somebody ends the whole run, which then names no test.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class HangWatchAttribute : BeforeAfterTestAttribute
{
    // A wait of a test ends within half of this.
    private static readonly TimeSpan LongestSilence = 2 * TimeLimit.Value;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private static readonly ConcurrentDictionary<string, string> Running = new();
    private static readonly Timer Watch = new(static _ => EndIfItHangs(), null, Interval, Interval);

    // Written by the threads that run tests, and read by that of the timer. It may be a moment old.
    private static long _lastNews = Environment.TickCount64;
    private static string _lastEnded = "no test";

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        Running[test.UniqueID] = test.TestDisplayName;
        NoteNews();
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        Running.TryRemove(test.UniqueID, out _);
        Volatile.Write(ref _lastEnded, test.TestDisplayName);
        NoteNews();
    }

    private static void NoteNews()
    {
        Volatile.Write(ref _lastNews, Environment.TickCount64);
        GC.KeepAlive(Watch);
    }

    private static void EndIfItHangs()
    {
        var silence = TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastNews));
        if (silence < LongestSilence || Debugger.IsAttached)
        {
            return;
        }

        // What hangs may also be what comes before or behind a test: its fixture, its disposal, the end of the process.
        Environment.FailFast(
            $"The test program hangs: for {silence.TotalMinutes:0} minutes no test has begun or ended. The last one "
            + $"that ended: {Volatile.Read(ref _lastEnded)}. Those that run:{Environment.NewLine}"
            + string.Join(
                Environment.NewLine, Running.Values.Order(StringComparer.Ordinal).Select(name => $"  {name}")));
    }
}
