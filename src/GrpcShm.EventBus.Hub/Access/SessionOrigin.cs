using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>A session. Only the thread that carries out its commands uses it.</summary>
/// <remarks>
/// The number that stands for a sender is made of the user, the process, the instance and the number that the client
/// claims. So it is the same after a lost connection and after a restart of the hub, and no other client gets it by a
/// claim: the transport says who the user and the process are, not the client.
/// </remarks>
internal sealed class SessionOrigin(MachineOwner owner) : EventOrigin
{
    private readonly byte[] _key = new byte[SHA256.HashSizeInBytes + sizeof(ulong)];
    private bool _hasKey;
    private ulong _claimed;
    private ulong _stamp;

    public override ulong Stamp(ulong claimed)
    {
        if (claimed != _claimed)
        {
            _stamp = MakeStamp(claimed);
            _claimed = claimed;
        }

        return _stamp;
    }

    public override bool Owns(MachineOwner other) =>
        ReferenceEquals(owner, other) || other.IsSameProcessAs(owner) || other.Peer.IsSameProcessAs(owner.Peer);

    private ulong MakeStamp(ulong claimed)
    {
        if (claimed == 0)
        {
            return 0;
        }

        if (!_hasKey)
        {
            // A session that named no instance has no successor.
            var instance = owner.InstanceId.Length > 0 ? owner.InstanceId : Guid.NewGuid().ToString("N");
            var who = $"{owner.Peer.UserId.Length} {owner.Peer.UserId} {owner.Peer.ProcessId} {instance}";
            SHA256.HashData(Encoding.UTF8.GetBytes(who), _key);
            _hasKey = true;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(_key.AsSpan(SHA256.HashSizeInBytes), claimed);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_key, hash);
        return Math.Max(1, BinaryPrimitives.ReadUInt64LittleEndian(hash));
    }
}
