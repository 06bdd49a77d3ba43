using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes.Completion;

namespace GrpcShm.Transport.Tests.Platform.Makes;

/// <summary>A make on completion, over named pipes within this process.</summary>
internal sealed class CompletionMake : PlatformMake
{
    public override TransportPlatform Platform { get; } = new CompletionPlatform();
}
