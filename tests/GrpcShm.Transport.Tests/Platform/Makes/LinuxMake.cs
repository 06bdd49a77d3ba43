using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform.Makes;

/// <summary>The make of Linux, on readiness.</summary>
internal sealed class LinuxMake : PlatformMake
{
    public override TransportPlatform Platform { get; } = new LinuxPlatform();
}
