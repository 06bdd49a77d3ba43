using System.Globalization;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Turns failures of system calls into exceptions, which gRPC maps like the exceptions of sockets.</summary>
internal static class LinuxError
{
    /// <summary>Describes the failure of a call that depends on the kernel's consent alone.</summary>
    /// <param name="what">The consequence of the failure, as the beginning of a sentence.</param>
    /// <param name="call">The call's name, as the rules of a sandbox spell it.</param>
    /// <param name="error">The number of the error.</param>
    public static IOException Create(string what, string call, int error)
    {
        var message = Describe(what, call, error);
        return IsShortage(error)
            ? new SharedMemoryResourcesException(message)
            : new PlatformException(message + error switch
            {
                Libc.EPERM or Libc.EACCES or Libc.ENOSYS or Libc.EAFNOSUPPORT or Libc.EOPNOTSUPP =>
                    " A sandbox may forbid it (seccomp, SELinux, AppArmor, systemd's SystemCallFilter= and "
                    + $"RestrictAddressFamilies=): allow {call} there, or use a Unix socket or TCP.",
                _ => string.Empty,
            });
    }

    /// <summary>Describes the failure of a call that depends on a file: on its place and its owner.</summary>
    /// <inheritdoc cref="Create"/>
    public static IOException ForFile(string what, string call, int error)
    {
        var message = Describe(what, call, error);
        return IsShortage(error)
            ? new SharedMemoryResourcesException(message)
            : new PlatformException(message + error switch
            {
                Libc.ENOLCK or Libc.EOPNOTSUPP or Libc.ENOSYS or Libc.EROFS =>
                    " The file system does not support that. Choose a directory on a local, writable file system: set "
                    + "RuntimeDirectory or XDG_RUNTIME_DIR, or listen on another path.",
                Libc.EPERM or Libc.EACCES => string.Create(
                    CultureInfo.InvariantCulture,
                    $" User {Libc.EffectiveUserId()} may not do that there. Give the directory or the file to this "
                    + $"user, or choose another place: set RuntimeDirectory or XDG_RUNTIME_DIR, or use another path."),
                _ => string.Empty,
            });
    }

    private static string Describe(string what, string call, int error) =>
        string.Create(CultureInfo.InvariantCulture, $"{what}: {call}: {Libc.Describe(error)} (errno {error}).");

    private static bool IsShortage(int error) =>
        error is Libc.ENOMEM or Libc.ENOSPC or Libc.EMFILE or Libc.ENFILE or Libc.ENOBUFS or Libc.ETOOMANYREFS
            or Libc.EFBIG;
}
