using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Removes a dead server's socket. The lock says that no listener of this transport is alive there, but the socket at
/// the path may be any program's. Only a socket that refuses a connection belongs to a dead program.
/// </summary>
internal static class AbandonedSocket
{
    /// <summary>Removes the socket at a path, if there is one and nobody has it open.</summary>
    /// <exception cref="EndPointInUseException">Another program has the socket open.</exception>
    /// <exception cref="IOException">There is no socket but another file, or it is not known if it is in
    /// use.</exception>
    public static void Remove(SharedMemoryEndPoint endPoint, string path)
    {
        switch (Kernel.Stat(path, follow: false, out var status))
        {
            case 0:
                break;
            case Libc.ENOENT:
                return;
            case var error:
                throw LinuxError.ForFile($"The file at '{path}' cannot be examined", "newfstatat", error);
        }

        if (!status.IsSocket)
        {
            throw new IOException(
                status.IsDirectory
                    ? $"'{path}' exists and is a folder, not a socket. Remove it, or listen on another name."
                    : $"'{path}' exists and is not a socket. Remove it, or listen on another name.");
        }

        // Between the probe and the removal another program could replace the socket. It would have to remove an unused
        // socket at just that moment, as this process does; no system call tells the two sockets apart.
        if (IsAbandoned(endPoint, path) && Libc.Unlink(path) != 0 && Libc.LastError != Libc.ENOENT)
        {
            throw LinuxError.ForFile($"The dead server's socket '{path}' cannot be removed", "unlink", Libc.LastError);
        }
    }

    /// <summary>
    /// Removes the socket at a path if it is this user's and nobody has it open. For a name that nobody has asked for:
    /// the probe must not be a connection, since that would start a server that a service manager starts when its first
    /// client comes.
    /// </summary>
    /// <returns>True if there is no socket any more.</returns>
    public static bool TryRemove(string path)
    {
        var error = Kernel.Stat(path, follow: false, out var status);
        if (error != 0 || !status.IsSocket || status.UserId != Libc.EffectiveUserId())
        {
            return error == Libc.ENOENT;
        }

        // As in Remove, another program could replace the unused socket at just this moment.
        return Probe(path) == Libc.ECONNREFUSED
            && Kernel.Stat(path, follow: false, out var still) == 0
            && still.IsSameFileAs(status)
            && Libc.Unlink(path) == 0;
    }

    /// <summary>Finds out without a connection whether somebody has the socket at a path open.</summary>
    /// <returns>
    /// <see cref="Libc.ECONNREFUSED"/> if nobody has it open, <see cref="Libc.EPROTOTYPE"/> if somebody has it open
    /// whose socket has the type of a server's; another number if it is not known, or if that socket has another type.
    /// </returns>
    public static int Probe(string path)
    {
        // The system looks for the socket first and at its type afterwards, so a socket of another type than a server's
        // is refused (ECONNREFUSED) only if nobody has that open. A server's socket is of the wrong type (EPROTOTYPE).
        using var probe = Libc.DatagramSocket();
        if (probe.IsInvalid || Encoding.UTF8.GetByteCount(path) > RendezvousPaths.MaxPathBytes)
        {
            return 0;
        }

        var address = UnixSocketAddress.Write(path, stackalloc byte[UnixSocketAddress.Size]);
        return Libc.Connect(probe, address, (uint)address.Length) == 0 ? 0 : Libc.LastError;
    }

    /// <returns>True if nobody has the socket open; false if it is gone.</returns>
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
                        $"The endpoint '{endPoint}' cannot be taken, since it is not known whether another program "
                        + $"listens on the socket '{path}', which is left alone",
                        "connect",
                        error);
            }
        }

        throw InUse("another program listens on the socket" + LinuxControlSocket.DescribePeer(probe));

        EndPointInUseException InUse(string how) =>
            new($"The endpoint '{endPoint}' is in use: {how} ('{path}'). Stop it, or listen on another name.");
    }
}
