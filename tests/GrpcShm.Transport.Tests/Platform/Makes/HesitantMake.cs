using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes.Hesitant;

namespace GrpcShm.Transport.Tests.Platform.Makes;

/// <summary>Another make that often does what a system rarely does, see <see cref="HesitantPlatform"/>.</summary>
internal sealed class HesitantMake(PlatformMake inner) : PlatformMake
{
    public override TransportPlatform Platform { get; } = new HesitantPlatform(inner.Platform);

    public override void Dispose()
    {
        inner.Dispose();
        base.Dispose();
    }
}
