using System.Net.Sockets;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class SharedMemoryEndPointTests
{
    [Theory]
    [InlineData("orders", "orders")]
    [InlineData("shm:orders", "orders")]
    [InlineData("SHM:orders", "orders")]
    [InlineData("a", "a")]
    [InlineData("A-z_0.9", "A-z_0.9")]
    [InlineData("..", null)]
    [InlineData(".hidden", null)]
    [InlineData("", null)]
    [InlineData("shm:", null)]
    [InlineData("shm://orders", null)]
    [InlineData("shm://", null)]
    [InlineData("shm:///", null)]
    [InlineData("/", null)]
    [InlineData("/run/", null)]
    [InlineData("/run/a\0b", null)]
    [InlineData("a/b", null)]
    [InlineData("../a", null)]
    [InlineData("a b", null)]
    [InlineData("ä", null)]
    [InlineData("a\n", null)]
    [InlineData("http://orders", null)]
    [InlineData("http://shm:/orders", "orders")]
    [InlineData("http://shm/orders", "orders")]
    [InlineData("https://shm:/orders", "orders")]
    [InlineData("http://shm:///run/x.sock", "/run/x.sock")]
    [InlineData("http://shm///run/x.sock", "/run/x.sock")]
    [InlineData("http://shm://orders", null)]
    [InlineData("http://shm:/", null)]
    [InlineData("http://shm", null)]
    [InlineData("http://shm:80/orders", null)]
    [InlineData("http://shm.orders/orders", null)]
    [InlineData("http://shm:/run/x.sock", null)]
    [InlineData("shm:shm:orders", null)]
    [InlineData("/run/x.sock", "/run/x.sock")]
    [InlineData("shm:///run/x.sock", "/run/x.sock")]
    [InlineData("shm:/orders", "orders")]
    [InlineData("SHM:/orders.sock", "orders.sock")]
    [InlineData("shm:/", null)]
    [InlineData("shm:/.hidden", null)]
    [InlineData("shm:/orders/", null)]
    [InlineData("shm:/run/x.sock", null)]
    [InlineData("shm:////run/x.sock", "//run/x.sock")]
    public void Parse_Address_GivesItsNameOrIsRefused(string address, string? name)
    {
        Assert.Equal(name is not null, SharedMemoryEndPoint.TryParse(address, out var endPoint));
        Assert.Equal(name, endPoint?.Name);
        if (name is null)
        {
            var refused = Assert.Throws<ArgumentException>(() => new SharedMemoryEndPoint(address));
            Assert.Contains($"'{address}'", refused.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(name, new SharedMemoryEndPoint(address).Name);
        }
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("  ", "it is empty")]
    [InlineData("http://shm:orders", "behind 'shm:' there has to be a slash and a name")]
    [InlineData("http://shm://orders", "behind 'shm:' there has to be a slash and a name")]
    [InlineData("http://shm:80/orders", "behind 'shm:' there has to be a slash and a name")]
    [InlineData("http://localhost:5000", "reached over TCP")]
    [InlineData("https://shm.orders/orders", "reached over TCP")]
    [InlineData("shm://orders", "a name has one colon only")]
    [InlineData("unix:///tmp/x.sock", "another scheme than 'shm'")]
    [InlineData("shm/orders", "behind 'shm' there has to be a colon")]
    [InlineData("./orders.sock", "a path has to be absolute")]
    [InlineData("shm:sockets/orders.sock", "a path has to be absolute")]
    [InlineData("shm:/run/x.sock", "a path has three slashes; one slash is followed by a name")]
    [InlineData("shm:/orders/", "a path has three slashes; one slash is followed by a name")]
    [InlineData("shm:/my orders", "a name has 1 to 64 characters")]
    [InlineData("shm:/", "a name has 1 to 64 characters")]
    [InlineData("my orders", "a name has 1 to 64 characters")]
    public void Parse_WrongForm_SaysWhatIsWrongAndTheRightForms(string address, string problem)
    {
        var refused = Assert.Throws<ArgumentException>(() => new SharedMemoryEndPoint(address));

        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.Contains("'shm:orders'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'shm:///absolute/orders.sock'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'http://shm:/orders'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NameOfMaximalLength_IsAllowedAndOneMoreIsNot()
    {
        Assert.True(SharedMemoryEndPoint.TryParse(new string('a', SharedMemoryEndPoint.MaxNameLength), out _));
        Assert.False(SharedMemoryEndPoint.TryParse(new string('a', SharedMemoryEndPoint.MaxNameLength + 1), out _));
    }

    [Theory]
    [InlineData("orders", "http://shm:/orders")]
    [InlineData("A-z_0.9", "http://shm:/A-z_0.9")]
    [InlineData("/run/x.sock", "http://shm:///run/x.sock")]
    public void InAddress_OfAnEndpoint_IsAUriThatIsReadAgain(string name, string address)
    {
        var endPoint = new SharedMemoryEndPoint(name);

        // Kestrel writes the address like this.
        Assert.Equal(address, $"http://{endPoint.InAddress()}");
        Assert.Equal(endPoint, new SharedMemoryEndPoint(address));
        Assert.Equal(endPoint, new SharedMemoryEndPoint(new Uri(address).ToString()));
        Assert.Equal(endPoint, endPoint.InAddress());

        // As somebody shortens it who has seen it in a log.
        Assert.Equal(endPoint, new SharedMemoryEndPoint(address["http://".Length..]));
    }

    [Fact]
    public void Plain_OfAnEndpointInAnAddress_IsTheEndpointItself()
    {
        var endPoint = new SharedMemoryEndPoint("orders");

        Assert.Same(endPoint, endPoint.Plain);
        Assert.Same(endPoint, endPoint.InAddress().InAddress().Plain);
    }

    [Fact]
    public void Parse_Null_IsRefused()
    {
        Assert.False(SharedMemoryEndPoint.TryParse(null, out _));
        Assert.Throws<ArgumentNullException>(() => new SharedMemoryEndPoint(null!));
    }

    [Theory]
    [InlineData("orders", "shm:orders", false)]
    [InlineData("/run/x.sock", "shm:///run/x.sock", true)]
    public void ToString_EndPoint_CanBeParsedAgain(string address, string text, bool isPath)
    {
        var endPoint = new SharedMemoryEndPoint(address);
        Assert.Equal(text, endPoint.ToString());
        Assert.Equal(isPath, endPoint.IsPath);
        Assert.Equal(endPoint, new SharedMemoryEndPoint(text));
        Assert.Equal(endPoint.GetHashCode(), new SharedMemoryEndPoint(text).GetHashCode());
        Assert.NotEqual(endPoint, new SharedMemoryEndPoint("other"));
        Assert.Equal(AddressFamily.Unix, endPoint.AddressFamily);
    }
}
