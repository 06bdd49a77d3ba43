using System.Runtime.InteropServices;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// A control socket that receives the bytes of an input in pieces, with descriptors, and then the end. The input has
/// the size of the pieces (0 for all at once), the number of descriptors with the first piece, four kinds of
/// descriptors, whether the peer is gone when this side sends, and then the bytes.
/// </summary>
internal sealed class ScriptedSocket : ControlSocket
{
    public const int PrefixLength = 7;

    private const int MaxAttachments = 4;

    private readonly SafeFileDescriptor _handle = Libc.EventCreate();
    private readonly List<SafeHandle> _given = [];
    private readonly SharedFiles _files;
    private readonly byte[] _bytes;
    private readonly byte[] _kinds = new byte[MaxAttachments];
    private readonly int _piece;
    private readonly int _attachments;
    private readonly bool _isGone;
    private int _position;

    public ScriptedSocket(ReadOnlySpan<byte> input, SharedFiles files)
    {
        _files = files;
        var reader = new InputReader(input);
        _piece = reader.TakeByte();
        _attachments = reader.TakeByte() % (MaxAttachments + 2);
        for (var i = 0; i < MaxAttachments; i++)
        {
            _kinds[i] = reader.TakeByte();
        }

        _isGone = (reader.TakeByte() & 1) != 0;
        _bytes = reader.Rest.ToArray();
    }

    public override SharedMemoryPeer Peer => new(1, TransportPlatform.Current.CurrentUser, null);

    public override IPollSource Source => _handle;

    /// <summary>An input for this socket.</summary>
    public static byte[] Script(byte piece, ReadOnlySpan<byte> kinds, params ReadOnlySpan<byte[]> messages)
    {
        byte[] prefix = new byte[PrefixLength];
        prefix[0] = piece;
        prefix[1] = (byte)kinds.Length;
        kinds.CopyTo(prefix.AsSpan(2));
        return [.. prefix, .. messages.ToArray().SelectMany(m => m)];
    }

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
    {
        if (_isGone)
        {
            throw new EndOfStreamException("The peer closed its end.");
        }
    }

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments)
    {
        if (_position == 0)
        {
            Give(attachments);
        }

        var count = Math.Min(buffer.Length, _bytes.Length - _position);
        count = _piece > 0 ? Math.Min(_piece, count) : count;
        _bytes.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override void Shutdown()
    {
    }

    public override void Dispose() => _handle.Dispose();

    /// <summary>Checks that the receiver has closed all its descriptors, whatever the outcome was.</summary>
    public void VerifyClosed()
    {
        FuzzFailureException.ThrowIf(!_handle.IsClosed, "The socket is still open.");
        FuzzFailureException.ThrowIf(_given.Exists(h => !h.IsClosed), "A received descriptor is still open.");
    }

    private void Give(List<SafeHandle> attachments)
    {
        for (var i = 0; i < Math.Min(_attachments, MaxAttachments); i++)
        {
            var descriptor = _files.Duplicate(_kinds[i]);
            _given.Add(descriptor);
            attachments.Add(descriptor);
        }

        if (_attachments > MaxAttachments)
        {
            // The kernel reports this case by MSG_CTRUNC.
            throw new SharedMemoryResourcesException("The peer's handles could not be taken over.");
        }
    }
}
