using GrpcShm.Transport.Platform;

namespace GrpcShm.TestHost.Faults;

/// <summary>Fails to watch another source on demand.</summary>
internal sealed class FaultyPoller(Poller inner, FaultSwitch faults) : Poller
{
    public override void Add(IPollSource source, ulong token)
    {
        faults.ThrowIf(FaultSwitch.Watch);
        inner.Add(source, token);
    }

    public override void Remove(IPollSource source) => inner.Remove(source);

    public override int Wait(Span<PollEvent> events, int milliseconds)
    {
        faults.ThrowIf(FaultSwitch.Wait);
        return inner.Wait(events, milliseconds);
    }

    public override void Wake() => inner.Wake();

    public override void Pause() => inner.Pause();

    public override void Dispose() => inner.Dispose();
}
