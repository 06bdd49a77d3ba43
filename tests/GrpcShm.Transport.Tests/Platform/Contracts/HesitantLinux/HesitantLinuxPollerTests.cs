using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxPollerTests() : PollerContract(new HesitantMake(new LinuxMake()));
