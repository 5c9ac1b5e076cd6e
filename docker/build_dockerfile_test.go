package docker

// seedDockerfile is the one from the notes that gantry was made for.
const seedDockerfile = `FROM eclipse-temurin:21　# eclipseをベースとする
# RUN groupadd spring && useradd spring -g spring　#　springユーザ、グループの作成
# USER spring:spring　# ユーザをspringとする
ARG JAR_FILE=target/*.jar　# 構築時build-time にユーザが渡せる変数を定義する。
COPY ${JAR_FILE} app.jar　# Docker クライアントで操作しているディレクトリから、ファイルを（コンテナのレイヤに）追加
ENTRYPOINT ["java","-jar","/app.jar"]  # コンテナ起動時にjavaを実行する
`
