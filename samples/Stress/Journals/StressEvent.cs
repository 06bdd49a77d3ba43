using System.Buffers.Binary;
using System.IO.Hashing;

namespace Samples.Stress.Journals;

/// <summary>
/// The payload of an event: its producer, its number in its track, a checksum, and a body. Length and bytes of the body
/// follow from producer and number, so the event is the same when a new life of its producer sends it again.
/// </summary>
internal readonly record struct StressEvent(int Producer, int Consumer, long Sequence, ulong Checksum)
{
    private const int ChecksumOffset = 16;
    private const int BodyOffset = 24;

    /// <summary>The digest of the track, extended by this event.</summary>
    public ulong Extend(ulong digest)
    {
        Span<byte> both = stackalloc byte[2 * sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(both, digest);
        BinaryPrimitives.WriteUInt64LittleEndian(both[sizeof(ulong)..], Checksum);
        return XxHash3.HashToUInt64(both);
    }

    /// <summary>Makes an event.</summary>
    /// <param name="producer">The producer.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="sequence">Its number in the track between the two.</param>
    /// <param name="maxBody">The most bytes that a body has.</param>
    /// <param name="payload">The bytes to send.</param>
    public static StressEvent Create(int producer, int consumer, long sequence, int maxBody, out byte[] payload)
    {
        var state = Mix(((ulong)producer << 48) ^ ((ulong)consumer << 32) ^ (ulong)sequence);
        payload = new byte[BodyOffset + (int)(state % (ulong)(maxBody + 1))];
        BinaryPrimitives.WriteInt32LittleEndian(payload, producer);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), consumer);
        BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(8), sequence);
        Fill(payload.AsSpan(BodyOffset), state);
        var checksum = Sum(payload);
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(ChecksumOffset), checksum);
        return new StressEvent(producer, consumer, sequence, checksum);
    }

    /// <summary>Reads an event.</summary>
    /// <returns>True if the event is undamaged.</returns>
    public static bool TryRead(ReadOnlySpan<byte> payload, out StressEvent read)
    {
        read = default;
        if (payload.Length < BodyOffset)
        {
            return false;
        }

        read = new StressEvent(
            BinaryPrimitives.ReadInt32LittleEndian(payload),
            BinaryPrimitives.ReadInt32LittleEndian(payload[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(payload[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[ChecksumOffset..]));
        return read.Checksum == Sum(payload);
    }

    // The checksum covers all bytes but its own.
    private static ulong Sum(ReadOnlySpan<byte> payload)
    {
        var hash = new XxHash3();
        hash.Append(payload[..ChecksumOffset]);
        hash.Append(payload[BodyOffset..]);
        return hash.GetCurrentHashAsUInt64();
    }

    private static void Fill(Span<byte> body, ulong state)
    {
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        for (; body.Length >= sizeof(ulong); body = body[sizeof(ulong)..])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(body, state = Mix(state));
        }

        BinaryPrimitives.WriteUInt64LittleEndian(last, Mix(state));
        last[..body.Length].CopyTo(body);
    }

    // SplitMix64: bytes that look random and are the same in every process.
    private static ulong Mix(ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }
}
