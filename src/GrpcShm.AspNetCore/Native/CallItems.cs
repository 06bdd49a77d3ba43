using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// The items of a call's <see cref="HttpContext"/>, as <c>ServerCallContext.UserState</c> shows them. grpc-dotnet asks
/// it for the context itself, by a key that is not among the items of a call in the full pipeline. A handler may ask
/// what becomes of hinted writes, by a key that only a native call knows. So both keys are answered, and not shown. As
/// the items: one thread at a time.
/// </summary>
internal sealed class CallItems(HttpContext context) : IDictionary<object, object>
{
    // The key by which ServerCallContextExtensions.GetHttpContext finds the context.
    private const string HttpContextKey = "__HttpContext";

    // Documented in docs/reference/event-service.md. The hub asks for it, and knows this library by that alone.
    private const string SendsHintedWritesKey = "GrpcShm.SendsHintedWrites";

    private static readonly object SendsHintedWrites = true;

    public ICollection<object> Keys => Items.Keys;

    public ICollection<object> Values => Items.Values;

    public int Count => Items.Count;

    public bool IsReadOnly => Items.IsReadOnly;

    // The application may set others.
    private IDictionary<object, object> Items => context.Items!;

    public object this[object key]
    {
        get => Items[key];
        set => Items[key] = value;
    }

    public bool TryGetValue(object key, [MaybeNullWhen(false)] out object value)
    {
        if (Items.TryGetValue(key, out value))
        {
            return true;
        }

        value = key switch
        {
            HttpContextKey => context,
            SendsHintedWritesKey => SendsHintedWrites,
            _ => null,
        };
        return value is not null;
    }

    public void Add(object key, object value) => Items.Add(key, value);

    public void Add(KeyValuePair<object, object> item) => Items.Add(item);

    public void Clear() => Items.Clear();

    public bool Contains(KeyValuePair<object, object> item) => Items.Contains(item);

    public bool ContainsKey(object key) => Items.ContainsKey(key);

    public void CopyTo(KeyValuePair<object, object>[] array, int arrayIndex) => Items.CopyTo(array, arrayIndex);

    public IEnumerator<KeyValuePair<object, object>> GetEnumerator() => Items.GetEnumerator();

    public bool Remove(object key) => Items.Remove(key);

    public bool Remove(KeyValuePair<object, object> item) => Items.Remove(item);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
