using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A reactor whose loop never runs, for tests of its parts alone.</summary>
internal static class IdleReactor
{
    public static Reactor Create() => new(
        TransportPlatform.Current.CreatePoller,
        "test reactor",
        new AdaptiveWait(TimeSpan.Zero),
        TransportPlatform.Current.WatchThread,
        static () => TimeSpan.Zero);
}
