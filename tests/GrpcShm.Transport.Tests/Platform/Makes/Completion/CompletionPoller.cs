using System.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>A queue of sources whose operations have completed. Each source puts itself into it.</summary>
internal sealed class CompletionPoller : Poller
{
    private readonly object _gate = new();
    private readonly Queue<ulong> _completed = new();

    public override void Add(IPollSource source, ulong token) => ((CompletionSource)source).Attach(this, token);

    public override void Remove(IPollSource source) => ((CompletionSource)source).Detach();

    public override int Wait(Span<PollEvent> events, int milliseconds)
    {
        lock (_gate)
        {
            var started = Stopwatch.GetTimestamp();
            while (_completed.Count == 0)
            {
                var left = milliseconds == Timeout.Infinite
                    ? Timeout.Infinite
                    : (int)Math.Max(0, milliseconds - Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                if (left == 0)
                {
                    return 0;
                }

                Monitor.Wait(_gate, left);
            }

            var count = 0;
            while (count < events.Length && _completed.TryDequeue(out var token))
            {
                events[count++] = new PollEvent(token);
            }

            return count;
        }
    }

    /// <summary>Puts a source into the queue, unless it is there already.</summary>
    public void Post(ulong token)
    {
        lock (_gate)
        {
            if (!_completed.Contains(token))
            {
                _completed.Enqueue(token);
                Monitor.Pulse(_gate);
            }
        }
    }

    public override void Wake() => Post(WakeToken);

    public override void Pause()
    {
        // Returns at once, as on a system without a sleep shorter than a millisecond.
    }

    public override void Dispose()
    {
    }
}
