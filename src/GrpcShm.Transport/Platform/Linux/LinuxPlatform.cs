using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Linux: sealed <c>memfd</c>, <c>eventfd</c>, <c>epoll</c>, and Unix sockets that pass descriptors.</summary>
internal sealed class LinuxPlatform : TransportPlatform
{
    public override PeerIdentity CurrentUser => LinuxUser.Current;

    public override string PrivilegedUsers => LinuxUser.Privileged;

    public override string? FindUserName(PeerIdentity user) => LinuxUser.FindName(user);

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        LinuxRendezvousSocket.Listen(endPoint, settings);

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence)
    {
        var paths = RendezvousPaths.Candidates(endPoint, directory);
        var tried = new List<(string Path, int Error)>(paths.Count);
        absence = null;
        foreach (var path in paths)
        {
            // Another user may have put something where this user's directory would be. That must not keep this process
            // from the next directory, nor from waiting for its server.
            if (!endPoint.IsPath && directory is null && !RendezvousPaths.IsOwnDirectory(Path.GetDirectoryName(path)!))
            {
                tried.Add((path, LinuxServerAbsence.PassedOver));
                continue;
            }

            if (LinuxControlSocket.Connect(path, out var error) is { } socket)
            {
                return socket;
            }

            tried.Add((path, error));
        }

        absence = new LinuxServerAbsence(endPoint, tried);
        return null;
    }

    public override SharedAllocation Allocate(long size)
    {
        // Beyond this limit the kernel does not just refuse: it sends SIGXFSZ, which ends the process. No client's wish
        // for large rings may do that.
        if (Libc.GetLimit(Libc.RLIMIT_FSIZE) is var limit && (ulong)size > limit)
        {
            throw LinuxError.Create(
                $"Shared memory of {size} bytes cannot be made, since this process may only make files of {limit} "
                + "bytes",
                "RLIMIT_FSIZE",
                Libc.EFBIG);
        }

        var file = CreateMemoryFile();
        try
        {
            if (Libc.Truncate(file, size) != 0)
            {
                throw LinuxError.Create($"Shared memory of {size} bytes cannot be made", "ftruncate", Libc.LastError);
            }

            // All pages are allocated now: lack of memory is an error here, and would be SIGBUS at the first touch.
            Fill(file, size);
            if (Libc.Control(file, Libc.F_ADD_SEALS, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL) != 0)
            {
                throw LinuxError.Create("Shared memory cannot be sealed", "fcntl(F_ADD_SEALS)", Libc.LastError);
            }

            return new SharedAllocation(LinuxMappedMemory.Map(file, size), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override MappedMemory Open(SafeHandle grant, long size)
    {
        var file = (SafeFileDescriptor)grant;

        // Fails with EINVAL if the descriptor is no memfd. Without the seals the peer could shrink the memory under
        // this mapping, and the next touch would be SIGBUS.
        const int Required = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW;
        var seals = Libc.Control(file, Libc.F_GET_SEALS, 0);
        if (seals < 0 && Libc.LastError != Libc.EINVAL)
        {
            throw LinuxError.Create(
                "The seals of the server's memory cannot be checked", "fcntl(F_GET_SEALS)", Libc.LastError);
        }

        if (seals < 0 || (seals & Required) != Required)
        {
            throw new SharedMemoryProtocolException(
                "The memory that the server offers is not sealed against shrinking and growing "
                + (seals < 0 ? "(it is no memfd)." : $"(its seals are 0x{seals:x})."));
        }

        var actual = Libc.Seek(file, 0, Libc.SEEK_END);
        if (actual < 0)
        {
            throw LinuxError.Create("The size of the server's memory cannot be checked", "lseek", Libc.LastError);
        }

        if (actual != size)
        {
            throw new SharedMemoryProtocolException(
                $"The memory that the server offers has {actual} bytes where the handshake says {size}.");
        }

        return LinuxMappedMemory.Map(file, size);
    }

    public override Doorbell CreateDoorbell()
    {
        var descriptor = Libc.EventCreate();
        return descriptor.IsInvalid
            ? throw LinuxError.Create("A doorbell cannot be made", "eventfd2", Libc.LastError)
            : new LinuxDoorbell(descriptor);
    }

    public override Doorbell OpenDoorbell(SafeHandle grant)
    {
        var descriptor = (SafeFileDescriptor)grant;
        LinuxDoorbell.Check(descriptor);
        return new LinuxDoorbell(descriptor);
    }

    public override Poller CreatePoller() => new EpollPoller();

    public override ThreadWatch WatchThread() => new LinuxThreadWatch();

    /// <summary>Allocates all pages of a file.</summary>
    private static void Fill(SafeFileDescriptor file, long size)
    {
        int error;
        while ((error = Libc.Allocate(file, 0, size)) == Libc.EINTR)
        {
        }

        // Some kernels, and gVisor, which replaces a kernel, cannot do that for this kind of file. glibc then writes
        // zeros by itself, musl does not.
        if (error is Libc.EOPNOTSUPP or Libc.ENOSYS or Libc.EINVAL)
        {
            error = MemoryFile.WriteZeros(file, size);
        }

        if (error != 0)
        {
            throw LinuxError.Create($"Shared memory of {size} bytes cannot be allocated", "fallocate", error);
        }
    }

    private static SafeFileDescriptor CreateMemoryFile()
    {
        const string Name = "grpcshm";
        const uint Flags = Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING;

        // Since Linux 6.3 a memfd should say whether it may be executed; older kernels do not know the flag.
        var file = Libc.MemfdCreate(Name, Flags | Libc.MFD_NOEXEC_SEAL);
        if (file.IsInvalid && Libc.LastError == Libc.EINVAL)
        {
            file = Libc.MemfdCreate(Name, Flags);
        }

        return file.IsInvalid
            ? throw LinuxError.Create("Shared memory cannot be made", "memfd_create", Libc.LastError)
            : file;
    }
}
