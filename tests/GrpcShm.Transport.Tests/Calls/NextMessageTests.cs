using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>The parts of a call that go in its next message.</summary>
public sealed class NextMessageTests
{
    private const int Credit = 1000;
    private const int Room = 100;

    private readonly HeaderBlock _headers = new();
    private readonly HeaderBlock _trailers = new();

    [Fact]
    public void Create_SmallCall_IsOneMessage()
    {
        Fill(_headers, 10);
        Fill(_trailers, 20);

        var message = new NextMessage(_headers, new byte[30], 30, _trailers, Credit, Room);

        Assert.Equal(FrameFlags.Headers | FrameFlags.Trailers | FrameFlags.End, message.Flags);
        Assert.Equal((10, 30, 20), (message.Headers.Length, message.Data.Length, message.Trailers.Length));
    }

    [Fact]
    public void Create_EndWithoutTrailers_HasTheEndAlone()
    {
        var message = new NextMessage(_headers, default, 0, _trailers, Credit, Room);

        Assert.Equal(FrameFlags.End, message.Flags);
        Assert.False(message.IsEmpty);
    }

    [Fact]
    public void Create_NothingToSend_IsEmpty() =>
        Assert.True(new NextMessage(_headers, default, 0, null, Credit, Room).IsEmpty);

    [Fact]
    public void Create_NoCredit_IsEmpty()
    {
        Assert.True(new NextMessage(_headers, new byte[10], 10, null, credit: 0, Room).IsEmpty);

        // The end stays behind the data, too.
        Assert.True(new NextMessage(_headers, new byte[10], 10, _trailers, credit: 0, Room).IsEmpty);
    }

    [Fact]
    public void Create_LittleCredit_SendsHeadersAndAsMuchDataAsThereIsCreditFor()
    {
        Fill(_headers, 10);

        var message = new NextMessage(_headers, new byte[30], 30, _trailers, credit: 7, Room);

        Assert.Equal(FrameFlags.Headers, message.Flags);
        Assert.Equal((10, 7, 0), (message.Headers.Length, message.Data.Length, message.Trailers.Length));
    }

    [Fact]
    public void Create_MoreDataBehindTheFirstPiece_HasNoEnd()
    {
        var message = new NextMessage(_headers, new byte[30], 31, _trailers, Credit, Room);

        Assert.Equal((FrameFlags.None, 30), (message.Flags, message.Data.Length));
        Assert.False(message.IsEmpty);
    }

    [Fact]
    public void Create_HeadersAreMoreThanAFrame_GoOnAloneBeforeAllElse()
    {
        Fill(_headers, Room + 1);

        var message = new NextMessage(_headers, new byte[30], 30, _trailers, Credit, Room);

        Assert.Equal(FrameFlags.Headers | FrameFlags.Continues, message.Flags);
        Assert.Equal((Room, 0, 0), (message.Headers.Length, message.Data.Length, message.Trailers.Length));
        _headers.Advance(Room);
        message = new NextMessage(_headers, new byte[30], 30, null, Credit, Room);
        Assert.Equal((FrameFlags.Headers, 1, 30), (message.Flags, message.Headers.Length, message.Data.Length));
    }

    [Fact]
    public void Create_TrailersFindLittleRoom_GoOnWithoutTheEnd()
    {
        Fill(_trailers, 50);

        var message = new NextMessage(_headers, new byte[60], 60, _trailers, Credit, Room);

        Assert.Equal(FrameFlags.Trailers | FrameFlags.Continues, message.Flags);
        Assert.Equal((60, 40), (message.Data.Length, message.Trailers.Length));
        _trailers.Advance(40);
        message = new NextMessage(_headers, default, 0, _trailers, Credit, Room);
        Assert.Equal((FrameFlags.Trailers | FrameFlags.End, 10), (message.Flags, message.Trailers.Length));
    }

    private static void Fill(HeaderBlock block, int size)
    {
        // A name of one letter has two bytes, and the length of a short value one.
        block.Begin();
        block.Add("x", new string('v', size > 130 ? size - 4 : size - 3), new SentPairs());
        Assert.Equal(size, block.Rest.Length);
    }
}
