using CsCheck;
using Google.Protobuf;

namespace GrpcShm.Loans.Tests.Wire;

/// <summary>Random messages, as bytes.</summary>
internal static class WireMessages
{
    private static readonly Gen<int> Numbers = Gen.Frequency(
        (6, Gen.Int[1, 9]), (5, Gen.Const(15)), (2, Gen.Int[10, 20]), (1, Gen.Int[1, 536_870_911]));

    private static readonly Gen<byte[]> Values = Gen.Frequency(
        (8, Gen.Byte.Array[0, 40]), (1, Gen.Byte.Array[100, 400]));

    private static readonly Gen<byte[]> Sites = Gen.Select(Gen.Double, Gen.Double, static (x, y) =>
        new Site { X = x, Next = new Site { Y = y } }.ToByteArray());

    private static readonly Gen<byte[]> Field = Gen.Frequency(
        (3, Gen.Select(Numbers, Gen.Long, static (number, value) => Write(output =>
        {
            output.WriteTag(number, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }))),
        (1, Gen.Select(Numbers, Gen.UInt, static (number, value) => Write(output =>
        {
            output.WriteTag(number, WireFormat.WireType.Fixed32);
            output.WriteFixed32(value);
        }))),
        (1, Gen.Select(Numbers, Gen.ULong, static (number, value) => Write(output =>
        {
            output.WriteTag(number, WireFormat.WireType.Fixed64);
            output.WriteFixed64(value);
        }))),
        (6, Gen.Select(Numbers, Values, WriteBytes)),
        (1, Sites.Select(static site => WriteBytes(3, site))),
        (1, Gen.Select(Numbers, Numbers, static (number, inner) => Write(output =>
        {
            output.WriteTag(number, WireFormat.WireType.StartGroup);
            output.WriteTag(inner, WireFormat.WireType.Varint);
            output.WriteInt32(7);
            output.WriteTag(number, WireFormat.WireType.EndGroup);
        }))),
        (3, Gen.String.AlphaNumeric.Select(static text => WriteBytes(1, System.Text.Encoding.UTF8.GetBytes(text)))));

    /// <summary>Fields of all kinds in any order: known ones, unknown ones, several payloads, groups.</summary>
    public static Gen<byte[]> Fields { get; } =
        Field.Array[0, 12].Select(static fields => fields.SelectMany(static bytes => bytes).ToArray());

    /// <summary>The same with some bytes changed, dropped or put in.</summary>
    public static Gen<byte[]> Mutated { get; } =
        Gen.Select(Fields, Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1000], Gen.Byte).Array[1, 4], static (bytes, changes) =>
        {
            var list = bytes.ToList();
            foreach (var (kind, place, value) in changes)
            {
                var index = list.Count == 0 ? 0 : place % list.Count;
                switch (kind)
                {
                    case 0 when list.Count > 0:
                        list[index] = value;
                        break;
                    case 1 when list.Count > 0:
                        list.RemoveAt(index);
                        break;
                    case 2:
                        list.Insert(index, value);
                        break;
                    default:
                        list.RemoveRange(index, list.Count - index);
                        break;
                }
            }

            return list.ToArray();
        });

    /// <summary>Sizes of pieces.</summary>
    public static Gen<int[]> Sizes { get; } = Gen.Int[0, 30].Array[1, 5];

    /// <summary>Writes a field with a length.</summary>
    public static byte[] WriteBytes(int number, byte[] value) => Write(output =>
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(value));
    });

    public static byte[] Write(Action<CodedOutputStream> write)
    {
        var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            write(output);
        }

        return bytes.ToArray();
    }
}
