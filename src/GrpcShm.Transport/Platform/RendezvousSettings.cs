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

    /// <summary>
    /// How long a listener waits for another process that removes the files of abandoned names, which takes
    /// milliseconds. After that it goes on: a process that is stopped meanwhile must not keep others from their names.
    /// Only the make of Linux uses it.
    /// </summary>
    public TimeSpan LongestCleaningWait { get; init; } = TimeSpan.FromSeconds(5);
}
