using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Failing;

/// <summary>May have no room for another source.</summary>
internal sealed class FailingPoller(Poller inner, Shortage shortage) : Poller
{
    public override void Add(IPollSource source, ulong token)
    {
        shortage.Count(nameof(Add));
        inner.Add(source, token);
    }

    public override void Remove(IPollSource source) => inner.Remove(source);

    public override int Wait(Span<PollEvent> events, int milliseconds) => inner.Wait(events, milliseconds);

    public override void Wake() => inner.Wake();

    public override void Pause() => inner.Pause();

    public override void Dispose() => inner.Dispose();
}
