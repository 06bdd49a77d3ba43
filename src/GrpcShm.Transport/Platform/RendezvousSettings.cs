using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Platform;

/// <summary>Where and for whom a listener puts its name.</summary>
/// <param name="Directory">
/// The directory for names, or <see langword="null"/> for the place that the system has for the user.
/// </param>
internal sealed record RendezvousSettings(string? Directory)
{
    /// <summary>Who reaches the files of the rendezvous. Linux' make alone looks at it.</summary>
    public LinuxFileModes LinuxModes { get; init; } = LinuxFileModes.OwnerAlone;
}
