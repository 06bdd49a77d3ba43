using System.IO.Hashing;
using System.Net;
using System.Net.Http.Headers;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>
/// The behaviour that a client and a server in two processes may expect of HTTP, over each transport and in each
/// version. Each combination is a sealed class that adds nothing.
/// </summary>
public abstract partial class PlainConformance : IDisposable
{
    private const int MiB = 1024 * 1024;

    private static ulong s_seed = (ulong)Random.Shared.NextInt64();

    private readonly VersionHandler _handler;

    private protected PlainConformance(IPlainFixture fixture, Version version)
    {
        Fixture = fixture;
        Version = version;
        Handler = fixture.GetHandler(version);
        _handler = new VersionHandler(Handler, version);
        Client = new HttpClient(_handler, disposeHandler: false)
        {
            BaseAddress = new Uri("http://localhost"),
            Timeout = TimeLimit.Value,
        };
    }

    /// <summary>
    /// Bodies that are empty, smaller or larger than the blocks, rings and windows on the way, or much larger.
    /// </summary>
    public static TheoryData<int> Sizes => [0, 1, 4_096, 16_385, 65_535, 140_000, 420_000, MiB + 1, 16 * MiB];

    private protected IPlainFixture Fixture { get; }

    private protected Version Version { get; }

    private protected HttpMessageHandler Handler { get; }

    private protected HttpClient Client { get; }

    private protected static CancellationToken TestToken => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose()
    {
        Client.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static ulong NewSeed()
    {
        var seed = Interlocked.Increment(ref s_seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"A body with the seed {seed}.");
        return seed;
    }

    private protected static byte[] CreateBody(int size, ulong seed) => TestBody.Create(size, seed).ToByteArray();

    private protected static string Hash(ReadOnlySpan<byte> body) => Convert.ToHexString(XxHash128.Hash(body));

    private protected static Uri At(string path) => new(path, UriKind.Relative);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task Get_WithItsLength_ComesWhole(int size) => AssertBodyAsync(size, chunked: false, pipe: false);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task Get_WithoutItsLength_ComesWhole(int size) => AssertBodyAsync(size, chunked: true, pipe: false);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task Get_WrittenThroughThePipeWithItsLength_ComesWhole(int size) =>
        AssertBodyAsync(size, chunked: false, pipe: true);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task Get_WrittenThroughThePipeWithoutItsLength_ComesWhole(int size) =>
        AssertBodyAsync(size, chunked: true, pipe: true);

    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    [InlineData(60_000)]
    [InlineData(500_000)]
    public async Task Get_OfJson_ComesWhole(int count)
    {
        var json = await Client.GetStringAsync(At($"/plain/json/{count}"), TestToken).InTime();

        var expected = $"[{string.Join(',', Enumerable.Range(100_000, count))}]";
        Assert.Equal(
            Hash(System.Text.Encoding.UTF8.GetBytes(expected)), Hash(System.Text.Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public async Task Get_ManyAtOnce_EachComesWhole() =>
        await Task.WhenAll(Enumerable.Range(0, 60).Select(
            i => AssertBodyAsync(i * 7_919, chunked: i % 2 == 0, pipe: i % 3 == 0))).InTime();

    [Fact]
    public async Task Get_LeftInTheMiddle_HarmsNoOther()
    {
        for (var i = 0; i < 5; i++)
        {
            using (var left = await Client.GetAsync(
                At($"/plain/body/{16 * MiB}?seed={NewSeed()}&chunked=true&pipe=true"),
                HttpCompletionOption.ResponseHeadersRead,
                TestToken).InTime())
            {
                await using var stream = await left.Content.ReadAsStreamAsync(TestToken).InTime();
                await stream.ReadExactlyAsync(new byte[100_000], TestToken).AsTask().InTime();
            }

            await AssertBodyAsync(420_000, chunked: true, pipe: true);
        }
    }

    [Theory]
    [InlineData(0L, 0L, 0, 1)]
    [InlineData(100L, 70_099L, 100, 70_000)]
    [InlineData(null, 500L, (3 * MiB) - 500, 500)]
    [InlineData(1_000_000L, null, 1_000_000, (3 * MiB) - 1_000_000)]
    public async Task Get_OfARange_IsThatPart(long? from, long? to, int start, int length)
    {
        var seed = NewSeed();
        using var request = new HttpRequestMessage(HttpMethod.Get, At($"/plain/file/{3 * MiB}?seed={seed}"));
        request.Headers.Range = new RangeHeaderValue(from, to);

        using var response = await Client.SendAsync(request, TestToken).InTime();
        var part = await response.Content.ReadAsByteArrayAsync(TestToken).InTime();

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(
            new ContentRangeHeaderValue(start, start + length - 1, 3 * MiB), response.Content.Headers.ContentRange);
        Assert.Equal(Hash(CreateBody(3 * MiB, seed).AsSpan(start, length)), Hash(part));
    }

    [Fact]
    public async Task Get_OfARangeThatIsNotThere_IsRefused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At("/plain/file/1000?seed=1"));
        request.Headers.Range = new RangeHeaderValue(1000, 2000);

        using var response = await Client.SendAsync(request, TestToken).InTime();

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
    }

    [Fact]
    public async Task Events_OfTheServer_ComeOneByOne()
    {
        var gate = $"event {Guid.NewGuid():N}";
        await using var stream =
            await Client.GetStreamAsync(At($"/plain/events/10?gate={Uri.EscapeDataString(gate)}"), TestToken).InTime();
        using var reader = new StreamReader(stream);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal($"data: event {i}", await ReadLineAsync());
            Assert.Equal($"id: {i}", await ReadLineAsync());
            Assert.Equal("", await ReadLineAsync());
            await Fixture.Server.OpenGateAsync($"{gate} {i}");
        }

        Assert.Null(await ReadLineAsync());

        Task<string?> ReadLineAsync() => reader.ReadLineAsync(TestToken).AsTask().InTime();
    }

    private protected async Task AssertBodyAsync(int size, bool chunked, bool pipe)
    {
        var seed = NewSeed();
        using var response = await Client.GetAsync(
            At($"/plain/body/{size}?seed={seed}&chunked={chunked}&pipe={pipe}"),
            HttpCompletionOption.ResponseHeadersRead,
            TestToken).InTime();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Version, response.Version);
        if (!chunked || size == 0)
        {
            Assert.Equal(size, response.Content.Headers.ContentLength ?? 0);
        }
        else
        {
            Assert.Null(response.Content.Headers.ContentLength);
        }

        var body = await response.Content.ReadAsByteArrayAsync(TestToken).InTime();
        Assert.Equal((size, Hash(CreateBody(size, seed))), (body.Length, Hash(body)));
    }
}
