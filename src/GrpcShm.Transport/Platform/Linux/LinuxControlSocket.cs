using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>A connected Unix stream socket; handles travel by <c>SCM_RIGHTS</c>.</summary>
internal sealed unsafe class LinuxControlSocket : ControlSocket
{
    // A message carries three descriptors at most; the kernel cuts off, and closes, descriptors that do not fit.
    private const int MaxAttachments = 4;
    private const int ControlHeaderSize = 16;
    private const int ControlBufferSize = ControlHeaderSize + (MaxAttachments * sizeof(int));

    private readonly SafeFileDescriptor _socket;

    private LinuxControlSocket(SafeFileDescriptor socket, SharedMemoryPeer peer)
    {
        _socket = socket;
        Peer = peer;
    }

    public override SharedMemoryPeer Peer { get; }

    public override IPollSource Source => _socket;

    public static LinuxControlSocket FromAccepted(SafeFileDescriptor socket)
    {
        try
        {
            return new LinuxControlSocket(socket, ReadPeer(socket));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to the socket at a path.</summary>
    /// <param name="path">The path.</param>
    /// <param name="absence">The number of the error if nobody listens there at present.</param>
    /// <returns><see langword="null"/> if nobody listens there, or if too many clients wait to be accepted.</returns>
    public static LinuxControlSocket? Connect(string path, out int absence)
    {
        absence = 0;
        var socket = Libc.Socket();
        if (socket.IsInvalid)
        {
            throw LinuxError.Create("A socket cannot be made", "socket", Libc.LastError);
        }

        try
        {
            var address = UnixSocketAddress.Write(path, stackalloc byte[UnixSocketAddress.Size]);
            while (Libc.Connect(socket, address, (uint)address.Length) != 0)
            {
                switch (Libc.LastError)
                {
                    case Libc.EINTR:
                        continue;
                    case Libc.ENOENT or Libc.ENOTDIR or Libc.ECONNREFUSED or Libc.EAGAIN or Libc.EPROTOTYPE:
                        absence = Libc.LastError;
                        socket.Dispose();
                        return null;
                    case Libc.EACCES or Libc.EPERM:
                        var refusal = Libc.LastError;
                        if (!RendezvousPaths.IsFolder(path))
                        {
                            throw LinuxServerAbsence.Forbid(path, refusal);
                        }

                        // The system looks at this user's rights first. To a user with more rights it would say this.
                        absence = Libc.ECONNREFUSED;
                        socket.Dispose();
                        return null;
                    case var error:
                        throw LinuxError.ForFile(
                            $"The rendezvous socket '{path}' cannot be connected to", "connect", error);
                }
            }

            return new LinuxControlSocket(socket, ReadPeer(socket));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(attachments.Length, MaxAttachments);
        var control = stackalloc byte[ControlBufferSize];
        var held = 0;
        try
        {
            for (; held < attachments.Length; held++)
            {
                var added = false;
                attachments[held].DangerousAddRef(ref added);
                ((int*)(control + ControlHeaderSize))[held] = (int)attachments[held].DangerousGetHandle();
            }

            fixed (byte* bytes = message)
            {
                var vector = new Libc.IoVector { Base = bytes, Length = (nuint)message.Length };
                var header = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1 };
                if (held > 0)
                {
                    // struct cmsghdr: length (8 bytes), level, type, data.
                    *(nuint*)control = (nuint)(ControlHeaderSize + (held * sizeof(int)));
                    *(int*)(control + 8) = Libc.SOL_SOCKET;
                    *(int*)(control + 12) = Libc.SCM_RIGHTS;
                    header.Control = control;
                    header.ControlLength = (nuint)(ControlHeaderSize + (((held * sizeof(int)) + 7) & ~7));
                }

                SendAll(&header, message.Length);
            }
        }
        finally
        {
            for (var i = 0; i < held; i++)
            {
                attachments[i].DangerousRelease();
            }
        }
    }

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments)
    {
        var control = stackalloc byte[ControlBufferSize];
        fixed (byte* bytes = buffer)
        {
            var vector = new Libc.IoVector { Base = bytes, Length = (nuint)buffer.Length };
            var header = new Libc.MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = ControlBufferSize,
            };

            nint count;
            while ((count = Libc.ReceiveMessage(_socket, &header, Libc.MSG_DONTWAIT | Libc.MSG_CMSG_CLOEXEC)) < 0)
            {
                switch (Libc.LastError)
                {
                    case Libc.EINTR:
                        continue;
                    case Libc.EAGAIN:
                        return -1;
                    case Libc.ECONNRESET:
                        // The peer closed before it had read everything: an end like any other.
                        return 0;
                    case var error:
                        throw LinuxError.Create("Receiving from the peer failed", "recvmsg", error);
                }
            }

            TakeAttachments(&header, attachments);
            return (int)count;
        }
    }

    public override void Shutdown() => _ = Libc.Shutdown(_socket, Libc.SHUT_RDWR);

    public override void Dispose() => _socket.Dispose();

    /// <summary>Reads the identity of the process at the other end, or of the process that listens.</summary>
    public static SharedMemoryPeer ReadPeer(SafeFileDescriptor socket) =>
        TryReadPeer(socket)
            ?? throw LinuxError.Create(
                "The peer's credentials (SO_PEERCRED) cannot be read", "getsockopt", Libc.LastError);

    /// <summary>Describes the process at the other end for a message, if the system knows it.</summary>
    public static string DescribePeer(SafeFileDescriptor socket) =>
        TryReadPeer(socket) is { } peer ? $", process {peer.ProcessId} of {peer.User}" : string.Empty;

    private static SharedMemoryPeer? TryReadPeer(SafeFileDescriptor socket)
    {
        Libc.PeerCredentials credentials;
        var length = (uint)sizeof(Libc.PeerCredentials);
        return Libc.GetSocketOption(socket, Libc.SOL_SOCKET, Libc.SO_PEERCRED, &credentials, &length) == 0
            ? new SharedMemoryPeer(
                credentials.ProcessId, LinuxUser.Of(credentials.UserId), LinuxUser.Write(credentials.GroupId))
            : null;
    }

    private static void TakeAttachments(Libc.MessageHeader* header, List<SafeHandle> attachments)
    {
        // Only one control message fits. Each descriptor that arrives is owned first and judged afterwards, or it
        // leaks.
        var control = (byte*)header->Control;
        if (header->ControlLength >= ControlHeaderSize
            && *(int*)(control + 8) == Libc.SOL_SOCKET
            && *(int*)(control + 12) == Libc.SCM_RIGHTS)
        {
            var bytes = Math.Min(*(nuint*)control, header->ControlLength) - ControlHeaderSize;
            for (nuint i = 0; i < bytes / sizeof(int); i++)
            {
                attachments.Add(new SafeFileDescriptor(((int*)(control + ControlHeaderSize))[i]));
            }
        }

        if ((header->Flags & Libc.MSG_CTRUNC) != 0)
        {
            // Either the peer sent more than any message has, or this process has no descriptor left.
            throw new SharedMemoryResourcesException(
                "The peer's handles could not be taken over: there are too many, or this process has too many files "
                + "open.");
        }
    }

    private void SendAll(Libc.MessageHeader* header, int length)
    {
        while (true)
        {
            var sent = Libc.SendMessage(_socket, header, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (sent == length)
            {
                return;
            }

            if (sent >= 0 || Libc.LastError == Libc.EAGAIN)
            {
                // A whole conversation fits into the socket's buffer, so the peer reads nothing at all.
                throw new IOException("The peer does not read what it is sent.");
            }

            switch (Libc.LastError)
            {
                case Libc.EINTR:
                    continue;
                case Libc.EPIPE or Libc.ECONNRESET:
                    throw new EndOfStreamException("The peer closed its end.");
                case var error:
                    throw LinuxError.Create("Sending to the peer failed", "sendmsg", error);
            }
        }
    }
}
