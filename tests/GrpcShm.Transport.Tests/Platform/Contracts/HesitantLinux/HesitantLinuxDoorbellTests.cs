using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxDoorbellTests() : DoorbellContract(new HesitantMake(new LinuxMake()));
