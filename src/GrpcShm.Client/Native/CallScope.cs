using System.Collections;
using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// What loggers see around the lines of a call: its kind and its path, under the names that grpc-dotnet gives them.
/// </summary>
internal sealed class CallScope(MethodType type, Uri path) : IReadOnlyList<KeyValuePair<string, object>>
{
    private readonly KeyValuePair<string, object>[] _values = [new("GrpcMethodType", type), new("GrpcUri", path)];

    public int Count => _values.Length;

    public KeyValuePair<string, object> this[int index] => _values[index];

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"GrpcMethodType:{type} GrpcUri:{path}";
}
