using System.Globalization;
using System.Net;
using System.Text;
using GrpcShm.Conformance.Tests.Harness;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>Features that only HTTP/1.1 has: pipelining, upgrades, and asking before a body is sent.</summary>
public abstract class PlainHttp1Conformance(IPlainFixture fixture) : PlainConformance(fixture, HttpVersion.Version11)
{
    private const int Requests = 100;

    [Fact]
    public async Task Pipeline_OfManyRequests_IsAnsweredInOrder()
    {
        await using var connection = await Fixture.ConnectAsync().InTime();
        await using var reader = new BufferedStream(connection, 10_000);
        var requests = new StringBuilder();
        for (var i = 0; i < Requests; i++)
        {
            requests.Append(
                CultureInfo.InvariantCulture,
            $"GET /plain/body/{SizeOf(i)}?seed={i}&chunked=false&pipe={i % 2 == 0} HTTP/1.1\r\n");
            requests.Append(
                i == Requests - 1 ? "Host: localhost\r\nConnection: close\r\n\r\n" : "Host: localhost\r\n\r\n");
        }

        var writing = connection.WriteAsync(Encoding.ASCII.GetBytes(requests.ToString()), TestToken).AsTask();
        for (var i = 0; i < Requests; i++)
        {
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReadHeadAsync(reader), StringComparison.Ordinal);
            var body = new byte[SizeOf(i)];
            await reader.ReadExactlyAsync(body, TestToken).AsTask().InTime();
            Assert.Equal(Hash(CreateBody(SizeOf(i), (ulong)i)), Hash(body));
        }

        await writing.InTime();
        Assert.Equal(0, await reader.ReadAsync(new byte[1], TestToken).AsTask().InTime());

        static int SizeOf(int i) => i * 509;
    }

    [Fact]
    public async Task Upgrade_ToAProtocolOfItsOwn_CarriesBytesBothWays()
    {
        const int Size = 1_000_000;
        using var request = new HttpRequestMessage(HttpMethod.Get, At("/plain/upgrade"));
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("next-byte");
        using var response = await Client
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestToken).InTime();
        Assert.Equal(HttpStatusCode.SwitchingProtocols, response.StatusCode);
        await using var stream = await response.Content.ReadAsStreamAsync(TestToken).InTime();
        var body = CreateBody(Size, NewSeed());

        var writing = stream.WriteAsync(body, TestToken).AsTask();
        var answer = new byte[Size];
        await stream.ReadExactlyAsync(answer, TestToken).AsTask().InTime();
        await writing.InTime();

        Assert.Equal(Hash([.. body.Select(static b => (byte)(b + 1))]), Hash(answer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Post_AfterTheServerHasSaidToGoOn_ComesWhole(bool chunked) =>
        AssertUploadAsync(500_000, chunked, expectContinue: true);

    private static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var next = new byte[1];
        do
        {
            await stream.ReadExactlyAsync(next, TestToken).AsTask().InTime();
            head.Append((char)next[0]);
        }
        while (!(next[0] == '\n' && head.Length >= 4 && head[^3] == '\n'));

        return head.ToString();
    }
}
