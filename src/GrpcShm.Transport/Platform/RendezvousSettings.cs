using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Platform;

/// <summary>Where a listener puts its name, and who may reach it.</summary>
/// <param name="Directory">
/// The directory for names, or <see langword="null"/> for the user's own place on the system.
/// </param>
internal sealed record RendezvousSettings(string? Directory)
{
    /// <summary>The modes of the rendezvous files. Only the make of Linux uses them.</summary>
    public LinuxFileModes LinuxModes { get; init; } = LinuxFileModes.OwnerAlone;
}
