namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Clears the way for a socket. The lock says that no listener of this transport is alive there, but the path may be
/// any program's: only what refuses to be connected to is a dead one's.
/// </summary>
internal static class AbandonedSocket
{
    /// <summary>Removes the socket at a path, if there is one and nobody has it open.</summary>
    /// <exception cref="EndPointInUseException">Another program has it.</exception>
    /// <exception cref="IOException">It is no socket, or it cannot be told whether it is in use.</exception>
    public static void Remove(SharedMemoryEndPoint endPoint, string path)
    {
        switch (Kernel.Stat(path, follow: false, out var status))
        {
            case 0:
                break;
            case Libc.ENOENT:
                return;
            case var error:
                throw LinuxError.ForFile($"It cannot be seen what is at '{path}'", "newfstatat", error);
        }

        if (!status.IsSocket)
        {
            throw new IOException($"'{path}' exists and is not a socket. Remove it, or listen on another name.");
        }

        // Between the probe and the removal another program could replace it. It would have to remove a socket that is
        // in nobody's use at just that moment, as we do; nothing that a system offers tells the two apart.
        if (IsAbandoned(endPoint, path) && Libc.Unlink(path) != 0 && Libc.LastError != Libc.ENOENT)
        {
            throw LinuxError.ForFile($"The dead server's socket '{path}' cannot be removed", "unlink", Libc.LastError);
        }
    }

    /// <returns>Whether nobody has it; false if it is gone.</returns>
    private static bool IsAbandoned(SharedMemoryEndPoint endPoint, string path)
    {
        using var probe = Libc.Socket();
        if (probe.IsInvalid)
        {
            throw LinuxError.Create("A socket cannot be made", "socket", Libc.LastError);
        }

        var address = UnixSocketAddress.Write(path, stackalloc byte[UnixSocketAddress.Size]);
        while (Libc.Connect(probe, address, (uint)address.Length) != 0)
        {
            switch (Libc.LastError)
            {
                case Libc.EINTR:
                    continue;
                case Libc.ECONNREFUSED:
                    return true;
                case Libc.ENOENT:
                    return false;
                case Libc.EAGAIN:
                    throw InUse(
                        "another program listens on the socket, and so many clients wait there that none gets in");
                case Libc.EPROTOTYPE:
                    throw InUse("another program has a socket of another type (datagram or seqpacket) there");
                case var error:
                    throw LinuxError.ForFile(
                        $"The endpoint '{endPoint}' cannot be taken, since it cannot be told whether another program listens on the "
                        + $"socket '{path}', which is left alone",
                        "connect",
                        error);
            }
        }

        throw InUse("another program listens on the socket" + LinuxControlSocket.DescribePeer(probe));

        EndPointInUseException InUse(string how) =>
            new($"The endpoint '{endPoint}' is in use: {how} ('{path}'). Stop it, or listen on another name.");
    }
}
