using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Hesitant;

/// <summary>Ends every third wait at once without an event, and reports sources that held something back.</summary>
internal sealed class HesitantPoller(Poller inner) : Poller
{
    private readonly Lock _gate = new();
    private readonly Queue<ulong> _heldBack = new();
    private int _waits;

    public override void Add(IPollSource source, ulong token)
    {
        if (source is HesitantSource hesitant)
        {
            hesitant.Attach(this, token);
        }

        inner.Add(InnerOf(source), token);
    }

    public override void Remove(IPollSource source)
    {
        (source as HesitantSource)?.Detach();
        inner.Remove(InnerOf(source));
    }

    public override int Wait(Span<PollEvent> events, int milliseconds)
    {
        lock (_gate)
        {
            if (_heldBack.TryDequeue(out var token))
            {
                events[0] = new PollEvent(token);
                return 1;
            }
        }

        return ++_waits % 3 == 0 ? 0 : inner.Wait(events, milliseconds);
    }

    public void Report(ulong token)
    {
        lock (_gate)
        {
            _heldBack.Enqueue(token);
        }

        inner.Wake();
    }

    public override void Wake() => inner.Wake();

    public override void Pause() => inner.Pause();

    public override void Dispose() => inner.Dispose();

    private static IPollSource InnerOf(IPollSource source) =>
        source is HesitantSource hesitant ? hesitant.Inner : source;
}
