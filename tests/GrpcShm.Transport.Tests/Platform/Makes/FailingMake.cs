using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes.Failing;

namespace GrpcShm.Transport.Tests.Platform.Makes;

/// <summary>Another make that lacks resources on demand.</summary>
internal sealed class FailingMake : PlatformMake
{
    private readonly PlatformMake _inner;
    private readonly FailingPlatform _platform;

    public FailingMake(PlatformMake inner) =>
        (_inner, _platform) = (inner, new FailingPlatform(inner.Platform, Shortage));

    public override TransportPlatform Platform => _platform;

    /// <summary>Decides which operation fails.</summary>
    public Shortage Shortage { get; } = new();

    public override void Dispose()
    {
        _inner.Dispose();
        base.Dispose();
    }
}
