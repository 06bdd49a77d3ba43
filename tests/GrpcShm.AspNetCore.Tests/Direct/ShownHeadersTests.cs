using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>
/// The names of headers, their spelling and their order, compared with Kestrel's dictionary.
/// </summary>
public sealed class ShownHeadersTests
{
    private const string KestrelsHeaders = "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http.HttpRequestHeaders";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Names_InAnyOrder_AreShownAsKestrelShowsThem(int seed)
    {
        // This fails if a later Kestrel has another order.
        var type = typeof(KestrelServerOptions).Assembly.GetType(KestrelsHeaders, throwOnError: true)!;
        var kestrel = (IDictionary<string, StringValues>)type.GetConstructors()[0].Invoke([true, null]);
        var own = new HeaderDictionary();
        var fields = new RequestFields();
        var names = Names();
        new Random(seed).Shuffle(names);
        foreach (var name in names)
        {
            kestrel[name] = name == "content-length" ? "0" : "v";
            var shown =
                name == "host" ? RequestHeaderNames.Host : RequestHeaderNames.Find(HeaderNames.NumberOf(name), name);
            fields.Add(shown.Name, "v", shown.Order);
        }

        fields.MoveTo(own);
        Assert.True(own.Count > 70);
        Assert.Equal(kestrel.Select(static header => header.Key), own.Select(static header => header.Key));
    }

    [Fact]
    public void Add_OneNameAmongOthers_HasItsValuesInTheirOrder()
    {
        var own = new HeaderDictionary();
        var fields = new RequestFields();
        for (var i = 0; i < 200; i++)
        {
            fields.Add(i % 2 == 0 ? "a" : $"b{i}", $"{i}", i % 3);
        }

        fields.MoveTo(own);
        Assert.Equal(101, own.Count);
        Assert.Equal(
            Enumerable.Range(0, 100).Select(static i => i * 2).OrderBy(static i => i % 3).Select(static i => $"{i}"),
            own["a"].ToArray());
    }

    // All names that Kestrel or direct mode knows, and some that neither knows.
    private static string[] Names() =>
    [
        .. typeof(Microsoft.Net.Http.Headers.HeaderNames).GetFields()
            .Select(static field => (string)field.GetValue(null)!)
            .Concat(Enumerable.Range(0, HeaderNames.Count).Select(HeaderNames.NameOf))
            .Concat(["x-own", "x-forwarded-for", "zzz", "aaa"])
            .Select(static name => name.ToLowerInvariant())
            .Distinct()
            .Where(static name => !name.StartsWith(':')
                && (name == "host" || !RequestHeaderNames.Find(HeaderNames.NumberOf(name), name).IsForbidden)),
    ];
}
