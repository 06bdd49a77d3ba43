using System.Net.Sockets;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Failures of system calls as exceptions that gRPC maps as it maps those of sockets.</summary>
internal static class LinuxError
{
    public static IOException Create(string what, int error)
    {
        var message = $"{what}: {Libc.Describe(error)} (errno {error}).";
        return error is Libc.ENOMEM or Libc.ENOSPC or Libc.EMFILE or Libc.ENFILE or Libc.ENOBUFS
            or Libc.ETOOMANYREFS or Libc.EFBIG
            ? new SharedMemoryResourcesException(message)
            : new IOException(message);
    }
}
